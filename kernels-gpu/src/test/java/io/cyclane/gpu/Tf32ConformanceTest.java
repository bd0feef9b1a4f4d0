package io.cyclane.gpu;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.testkit.LinearConformance;
import io.cyclane.testkit.MatMulConformance;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** Dense layers by matrix instructions in tf32, of numbers that it and bf16 hold as they are. */
final class Tf32ConformanceTest {
    @Nested
    @Tag("long")
    class Linear extends LinearConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.TF32);
        }

        @Override
        protected DType given() {
            return DType.BF16;
        }
    }

    @Nested
    class MatMul extends MatMulConformance {
        @Override
        protected Backend backend() {
            return GpuOnHost.open(HostDriver.orSkip(), Precision.TF32);
        }

        @Override
        protected DType given() {
            return DType.BF16;
        }
    }
}
