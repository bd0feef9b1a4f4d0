package io.cyclane.cpu;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.testkit.ActivateConformance;
import io.cyclane.testkit.AddConformance;
import io.cyclane.testkit.AttentionConformance;
import io.cyclane.testkit.CombineConformance;
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

/**
 * Every operation of the set on the CPU, at the vector width in force, in vectors and as scalar
 * twins.
 */
final class CpuConformanceTest {
    @Nested
    class Activate extends ActivateConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Add extends AddConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Attention extends AttentionConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Combine extends CombineConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Copy extends CopyConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Embedding extends EmbeddingConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class ExpertMatMul extends ExpertMatMulConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class FeedForward extends FeedForwardConformance {
        @Override
        protected Backend backend() {
            return CpuBackend.open(2);
        }
    }

    @Nested
    class Glu extends GluConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class L2Normalize extends L2NormalizeConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class LayerNorm extends LayerNormConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Linear extends LinearConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class MatMul extends MatMulConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class MolGeGlu extends MolGeGluConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Multiply extends MultiplyConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Normed extends NormedConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Pool extends PoolConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Positions extends PositionsConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class RmsNorm extends RmsNormConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Rotary extends RotaryConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Route extends RouteConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Scale extends ScaleConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Softmax extends SoftmaxConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Split extends SplitConformance {
        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }

    @Nested
    class Programs extends ProgramConformance {
        @Override
        protected boolean picksFirstRowsEarly() {
            return true;
        }

        @Override
        protected Backend backend() {
            return BothForms.open(2);
        }
    }
}
