package io.cyclane.gpu.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/** A stream of a device. */
final class CudaStream implements Stream {
    private final CudaDevice device;
    private final Cuda.StreamHandle stream;

    /** Written anew for each launch, which reads it before it returns. */
    private final MemorySegment config = Arena.ofAuto().allocate(CudaCalls.LAUNCH_BYTES, 8);

    private final AtomicBoolean closed = new AtomicBoolean();

    private CudaStream(CudaDevice device, Cuda.StreamHandle stream) {
        this.device = device;
        this.stream = stream;
    }

    static CudaStream open(CudaDevice device) {
        Cuda.StreamHandle stream = new Cuda.StreamHandle();
        Cuda.check(
                JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING),
                "cuStreamCreate");
        return new CudaStream(device, stream);
    }

    @Override
    public void copyToDevice(MemorySegment from, DeviceMemory to, long offset) {
        device.enter();
        Cuda.check(
                JCudaDriver.cuMemcpyHtoDAsync(
                        memory(to).at(offset),
                        new Cuda.HostAddress(from.address()),
                        from.byteSize(),
                        stream),
                "cuMemcpyHtoDAsync");
    }

    @Override
    public void copyToHost(DeviceMemory from, long offset, MemorySegment to) {
        device.enter();
        Cuda.check(
                JCudaDriver.cuMemcpyDtoHAsync(
                        new Cuda.HostAddress(to.address()),
                        memory(from).at(offset),
                        to.byteSize(),
                        stream),
                "cuMemcpyDtoHAsync");
    }

    @Override
    public void copyOnDevice(
            DeviceMemory from, long fromOffset, DeviceMemory to, long toOffset, long lengthBytes) {
        device.enter();
        Cuda.check(
                JCudaDriver.cuMemcpyDtoDAsync(
                        memory(to).at(toOffset), memory(from).at(fromOffset), lengthBytes, stream),
                "cuMemcpyDtoDAsync");
    }

    @Override
    public void fill(DeviceMemory memory, long offset, int word, long words) {
        device.enter();
        Cuda.check(
                JCudaDriver.cuMemsetD32Async(memory(memory).at(offset), word, words, stream),
                "cuMemsetD32Async");
    }

    private static CudaDevice.Memory memory(DeviceMemory memory) {
        return (CudaDevice.Memory) memory;
    }

    @Override
    public void launch(KernelFunction kernel, Grid grid, Arguments arguments) {
        device.enter();
        CudaCalls.configure(config, grid, stream.handle());
        Cuda.check(
                CudaCalls.launch(
                        config, ((CudaDevice.Function) kernel).function().handle(), arguments),
                "the launch of " + kernel.name());
    }

    @Override
    public Graph capture(Runnable work) {
        device.enter();
        Cuda.check(
                JCudaDriver.cuStreamBeginCapture(
                        stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
                "cuStreamBeginCapture");
        CUgraph graph = new CUgraph();
        boolean isWhole = false;
        try {
            work.run();
            isWhole = true;
        } finally {
            int result = JCudaDriver.cuStreamEndCapture(stream, graph);
            if (isWhole) {
                Cuda.check(result, "cuStreamEndCapture");
            }
        }
        CUgraphExec executable = new CUgraphExec();
        int result = JCudaDriver.cuGraphInstantiate(executable, graph, 0);
        Cuda.checkFreed(JCudaDriver.cuGraphDestroy(graph), "cuGraphDestroy");
        Cuda.check(result, "cuGraphInstantiate");
        return new Captured(device, executable, new AtomicBoolean());
    }

    @Override
    public void launch(Graph graph) {
        device.enter();
        Cuda.check(
                JCudaDriver.cuGraphLaunch(((Captured) graph).executable(), stream),
                "cuGraphLaunch");
    }

    @Override
    public void record(Event event) {
        device.enter();
        Cuda.check(JCudaDriver.cuEventRecord(((CudaEvent) event).event(), stream), "cuEventRecord");
    }

    @Override
    public void await(Event event) {
        device.enter();
        Cuda.check(
                JCudaDriver.cuStreamWaitEvent(stream, ((CudaEvent) event).event(), 0),
                "cuStreamWaitEvent");
    }

    @Override
    public void synchronize() {
        device.enter();
        Cuda.check(JCudaDriver.cuStreamSynchronize(stream), "the work before cuStreamSynchronize");
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            device.enterToFree();
            Cuda.checkFreed(JCudaDriver.cuStreamSynchronize(stream), "cuStreamSynchronize");
            Cuda.checkFreed(JCudaDriver.cuStreamDestroy(stream), "cuStreamDestroy");
        }
    }

    private record Captured(CudaDevice device, CUgraphExec executable, AtomicBoolean closed)
            implements Graph {
        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                device.enterToFree();
                Cuda.checkFreed(JCudaDriver.cuGraphExecDestroy(executable), "cuGraphExecDestroy");
            }
        }
    }
}
