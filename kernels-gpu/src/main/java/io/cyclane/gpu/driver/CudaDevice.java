package io.cyclane.gpu.driver;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;

/** A device in its primary context, which is made current in whatever thread calls. */
final class CudaDevice implements Device {
    private static final int NAME_BYTES = 256;

    private final CUdevice device;
    private final CUcontext context;
    private final DeviceTraits traits;
    private final AtomicBoolean closed = new AtomicBoolean();

    private CudaDevice(CUdevice device, CUcontext context, DeviceTraits traits) {
        this.device = device;
        this.context = context;
        this.traits = traits;
    }

    static CudaDevice open(int ordinal) {
        Cuda.check(JCudaDriver.cuInit(0), "cuInit");
        CUdevice device = new CUdevice();
        Cuda.check(JCudaDriver.cuDeviceGet(device, ordinal), "cuDeviceGet");
        DeviceTraits traits = traits(device);
        CUcontext context = new CUcontext();
        Cuda.check(
                JCudaDriver.cuDevicePrimaryCtxRetain(context, device), "cuDevicePrimaryCtxRetain");
        return new CudaDevice(device, context, traits);
    }

    private static DeviceTraits traits(CUdevice device) {
        byte[] name = new byte[NAME_BYTES];
        Cuda.check(JCudaDriver.cuDeviceGetName(name, NAME_BYTES, device), "cuDeviceGetName");
        int length = 0;
        while (length < NAME_BYTES && name[length] != 0) {
            length++;
        }
        long[] bytes = new long[1];
        Cuda.check(JCudaDriver.cuDeviceTotalMem(bytes, device), "cuDeviceTotalMem");
        return new DeviceTraits(
                new String(Arrays.copyOf(name, length), StandardCharsets.UTF_8),
                bytes[0],
                attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
                attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
                attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
    }

    private static int attribute(CUdevice device, int attribute) {
        int[] value = new int[1];
        Cuda.check(
                JCudaDriver.cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute");
        return value[0];
    }

    /** Makes the context current in this thread. */
    void enter() {
        if (closed.get()) {
            throw new IllegalStateException("the device is closed");
        }
        Cuda.check(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
    }

    /** Makes the context current, as far as a lost device still has one. */
    void enterToFree() {
        Cuda.checkFreed(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
    }

    @Override
    public DeviceTraits traits() {
        return traits;
    }

    @Override
    public long freeBytes() {
        enter();
        long[] free = new long[1];
        Cuda.check(JCudaDriver.cuMemGetInfo(free, new long[1]), "cuMemGetInfo");
        return free[0];
    }

    @Override
    public DeviceMemory allocate(long lengthBytes) {
        enter();
        Cuda.DeviceAddress address = new Cuda.DeviceAddress();
        Cuda.check(
                JCudaDriver.cuMemAlloc(address, lengthBytes),
                "cuMemAlloc of " + lengthBytes + " bytes");
        return new Memory(this, address, lengthBytes);
    }

    @Override
    @SuppressWarnings("restricted") // the address is the driver's own
    public StagingMemory allocateStaging(long lengthBytes) {
        enter();
        Cuda.HostAddress address = new Cuda.HostAddress();
        Cuda.check(
                JCudaDriver.cuMemAllocHost(address, lengthBytes),
                "cuMemAllocHost of " + lengthBytes + " bytes");
        return new Staging(
                this, address, MemorySegment.ofAddress(address.address()).reinterpret(lengthBytes));
    }

    @Override
    public KernelModule load(String name, byte[] ptx) {
        enter();
        CUmodule module = new CUmodule();
        // The driver reads up to a zero byte.
        Cuda.check(
                JCudaDriver.cuModuleLoadData(module, Arrays.copyOf(ptx, ptx.length + 1)),
                "cuModuleLoadData of " + name);
        return new Module(this, name, module);
    }

    @Override
    public byte[] describe(TensorTiles tiles) {
        enter();
        return CudaCalls.encode(tiles);
    }

    @Override
    public Stream stream() {
        enter();
        return CudaStream.open(this);
    }

    @Override
    public Event event() {
        enter();
        return CudaEvent.open(this);
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            Cuda.checkFreed(
                    JCudaDriver.cuDevicePrimaryCtxRelease(device), "cuDevicePrimaryCtxRelease");
        }
    }

    /** Device memory that {@code cuMemAlloc} gave. */
    static final class Memory implements DeviceMemory {
        private final CudaDevice device;
        private final Cuda.DeviceAddress address;
        private final long lengthBytes;
        private final AtomicBoolean closed = new AtomicBoolean();

        private Memory(CudaDevice device, Cuda.DeviceAddress address, long lengthBytes) {
            this.device = device;
            this.address = address;
            this.lengthBytes = lengthBytes;
        }

        @Override
        public long address() {
            return address.address();
        }

        @Override
        public long lengthBytes() {
            return lengthBytes;
        }

        Cuda.DeviceAddress at(long offset) {
            return address.plus(offset);
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                device.enterToFree();
                Cuda.checkFreed(JCudaDriver.cuMemFree(address), "cuMemFree");
            }
        }
    }

    private record Staging(
            CudaDevice device,
            Cuda.HostAddress address,
            MemorySegment segment,
            AtomicBoolean closed)
            implements StagingMemory {
        Staging(CudaDevice device, Cuda.HostAddress address, MemorySegment segment) {
            this(device, address, segment, new AtomicBoolean());
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                device.enterToFree();
                Cuda.checkFreed(JCudaDriver.cuMemFreeHost(address), "cuMemFreeHost");
            }
        }
    }

    private record Module(CudaDevice device, String name, CUmodule module, AtomicBoolean closed)
            implements KernelModule {
        Module(CudaDevice device, String name, CUmodule module) {
            this(device, name, module, new AtomicBoolean());
        }

        @Override
        public KernelFunction function(String kernel) {
            device.enter();
            Cuda.FunctionHandle function = new Cuda.FunctionHandle();
            Cuda.check(
                    JCudaDriver.cuModuleGetFunction(function, module, kernel),
                    "cuModuleGetFunction of " + kernel + " in " + name);
            return new Function(kernel, function);
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                device.enterToFree();
                Cuda.checkFreed(JCudaDriver.cuModuleUnload(module), "cuModuleUnload");
            }
        }
    }

    /** A kernel of a loaded module. */
    record Function(String name, Cuda.FunctionHandle function) implements KernelFunction {}
}
