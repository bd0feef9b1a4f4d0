package io.cyclane.tensor.reference;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.testkit.ActivateConformance;
import io.cyclane.testkit.AddConformance;
import io.cyclane.testkit.AttentionConformance;
import io.cyclane.testkit.CombineConformance;
import io.cyclane.testkit.ConvertConformance;
import io.cyclane.testkit.CopyConformance;
import io.cyclane.testkit.EmbeddingConformance;
import io.cyclane.testkit.ExpertMatMulConformance;
import io.cyclane.testkit.FeedForwardConformance;
import io.cyclane.testkit.GluConformance;
import io.cyclane.testkit.L2NormalizeConformance;
import io.cyclane.testkit.LayerNormConformance;
import io.cyclane.testkit.LinearConformance;
import io.cyclane.testkit.MatMulConformance;
import io.cyclane.testkit.MolGeGluConformance;
import io.cyclane.testkit.MultiplyConformance;
import io.cyclane.testkit.NormedConformance;
import io.cyclane.testkit.PoolConformance;
import io.cyclane.testkit.PositionsConformance;
import io.cyclane.testkit.ProgramConformance;
import io.cyclane.testkit.RmsNormConformance;
import io.cyclane.testkit.RotaryConformance;
import io.cyclane.testkit.RouteConformance;
import io.cyclane.testkit.ScaleConformance;
import io.cyclane.testkit.SoftmaxConformance;
import io.cyclane.testkit.SplitConformance;
import org.junit.jupiter.api.Nested;

/** The reference with values held as F32, against itself with values held as F64. */
final class ReferenceConformanceTest {
    @Nested
    class Activate extends ActivateConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Add extends AddConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Attention extends AttentionConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Combine extends CombineConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Convert extends ConvertConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Copy extends CopyConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Embedding extends EmbeddingConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class ExpertMatMul extends ExpertMatMulConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class FeedForward extends FeedForwardConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Glu extends GluConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class L2Normalize extends L2NormalizeConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class LayerNorm extends LayerNormConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Linear extends LinearConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class MatMul extends MatMulConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class MolGeGlu extends MolGeGluConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Multiply extends MultiplyConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Normed extends NormedConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Pool extends PoolConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Positions extends PositionsConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class RmsNorm extends RmsNormConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Rotary extends RotaryConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Route extends RouteConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Scale extends ScaleConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Softmax extends SoftmaxConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Split extends SplitConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }

    @Nested
    class Programs extends ProgramConformance {
        @Override
        protected Backend backend() {
            return ReferenceBackend.open();
        }
    }
}
