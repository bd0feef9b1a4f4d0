package io.cyclane.gpu;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.testkit.ActivateConformance;
import io.cyclane.testkit.AddConformance;
import io.cyclane.testkit.AttentionConformance;
import io.cyclane.testkit.CombineConformance;
import io.cyclane.testkit.ConvertConformance;
import io.cyclane.testkit.CopyConformance;
import io.cyclane.testkit.EmbeddingConformance;
import io.cyclane.testkit.ExpertMatMulConformance;
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
import io.cyclane.testkit.RmsNormConformance;
import io.cyclane.testkit.RotaryConformance;
import io.cyclane.testkit.RouteConformance;
import io.cyclane.testkit.ScaleConformance;
import io.cyclane.testkit.SoftmaxConformance;
import io.cyclane.testkit.SplitConformance;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/**
 * Every operation by the GPU's kernels for values stored in bf16, run on the host. What takes long
 * is held in short by {@link MatrixProductTest}, {@link MixtureTest} and {@link Bf16ModelTest}.
 */
final class Bf16ConformanceTest {
    @Nested
    class Activate extends ActivateConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Add extends AddConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    @Tag("long")
    class Attention extends AttentionConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Combine extends CombineConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Convert extends ConvertConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Copy extends CopyConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Embedding extends EmbeddingConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    @Tag("long")
    class ExpertMatMul extends ExpertMatMulConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Glu extends GluConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class L2Normalize extends L2NormalizeConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class LayerNorm extends LayerNormConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    @Tag("long")
    class Linear extends LinearConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class MatMul extends MatMulConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    /** {@link MixtureTest} has the core of it. */
    @Nested
    @Tag("long")
    class MolGeGlu extends MolGeGluConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Multiply extends MultiplyConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Normed extends NormedConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Pool extends PoolConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Positions extends PositionsConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class RmsNorm extends RmsNormConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Rotary extends RotaryConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    @Tag("long")
    class Route extends RouteConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Scale extends ScaleConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Softmax extends SoftmaxConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }

    @Nested
    class Split extends SplitConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.BF16);
        }

        @Override
        protected DType stored() {
            return DType.BF16;
        }
    }
}
