package io.cyclane.testkit;

import io.cyclane.tensor.backend.Backend;
import org.junit.jupiter.api.Nested;

/** Shows that plain F32 arithmetic keeps to the tolerances. */
final class NaiveConformanceTest {
    @Nested
    class Activate extends ActivateConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Add extends AddConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Attention extends AttentionConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Combine extends CombineConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Copy extends CopyConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Embedding extends EmbeddingConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class ExpertMatMul extends ExpertMatMulConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class FeedForward extends FeedForwardConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Glu extends GluConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class L2Normalize extends L2NormalizeConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class LayerNorm extends LayerNormConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Linear extends LinearConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class MatMul extends MatMulConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class MolGeGlu extends MolGeGluConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Multiply extends MultiplyConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Normed extends NormedConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Pool extends PoolConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Positions extends PositionsConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class RmsNorm extends RmsNormConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Rotary extends RotaryConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Route extends RouteConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Scale extends ScaleConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Softmax extends SoftmaxConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Split extends SplitConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }

    @Nested
    class Programs extends ProgramConformance {
        @Override
        protected Backend backend() {
            return NaiveKernels.open();
        }
    }
}
