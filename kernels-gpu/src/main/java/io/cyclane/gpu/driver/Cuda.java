package io.cyclane.gpu.driver;

import io.cyclane.tensor.backend.DeviceLostException;
import java.util.Set;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/** What calls through the binding share: their errors, and addresses as the binding wants them. */
final class Cuda {
    static final int SUCCESS = 0;
    private static final int OUT_OF_MEMORY = 2;

    /**
     * After these nothing in the context works any more: CUDA_ERROR_ECC_UNCORRECTABLE,
     * NVLINK_UNCORRECTABLE, ILLEGAL_ADDRESS, LAUNCH_TIMEOUT, CONTEXT_IS_DESTROYED, ASSERT,
     * HARDWARE_STACK_ERROR to LAUNCH_FAILED, and DEVICE_UNAVAILABLE.
     */
    private static final Set<Integer> LOSSES =
            Set.of(46, 214, 220, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719);

    private Cuda() {}

    /** Fails unless a call has succeeded. */
    static void check(int result, String call) {
        if (result == SUCCESS) {
            return;
        }
        String message = "%s failed: %s".formatted(call, text(result));
        if (LOSSES.contains(result)) {
            throw new DeviceLostException(
                    message
                            + ": the device is lost to this process; close its backend and open another");
        }
        throw new DriverException(
                result == OUT_OF_MEMORY
                        ? message + ": another process may hold the device's memory"
                        : message);
    }

    /** Like {@link #check}, for what frees: with a lost device its memory is gone already. */
    static void checkFreed(int result, String call) {
        if (!LOSSES.contains(result)) {
            check(result, call);
        }
    }

    static String text(int result) {
        String[] name = new String[1];
        String[] sentence = new String[1];
        JCudaDriver.cuGetErrorName(result, name);
        JCudaDriver.cuGetErrorString(result, sentence);
        return "%s (%d, %s)".formatted(name[0], result, sentence[0]);
    }

    /** A kernel whose handle can be read. */
    static final class FunctionHandle extends CUfunction {
        long handle() {
            return getNativePointer();
        }
    }

    /** A stream whose handle can be read. */
    static final class StreamHandle extends CUstream {
        long handle() {
            return getNativePointer();
        }
    }

    /** An address of the host. */
    static final class HostAddress extends Pointer {
        HostAddress() {}

        HostAddress(long address) {
            super(address);
        }

        long address() {
            return getNativePointer() + getByteOffset();
        }
    }

    /** An address of a device. */
    static final class DeviceAddress extends CUdeviceptr {
        DeviceAddress() {}

        private DeviceAddress(DeviceAddress base, long offset) {
            super(base, offset);
        }

        DeviceAddress plus(long offset) {
            return new DeviceAddress(this, offset);
        }

        long address() {
            return getNativePointer() + getByteOffset();
        }
    }
}
