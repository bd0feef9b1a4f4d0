package io.cyclane.gpu.driver;

import java.util.concurrent.atomic.AtomicBoolean;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/** An event of a device. */
record CudaEvent(CudaDevice device, CUevent event, AtomicBoolean closed) implements Event {
    static CudaEvent open(CudaDevice device) {
        CUevent event = new CUevent();
        Cuda.check(
                JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DEFAULT), "cuEventCreate");
        return new CudaEvent(device, event, new AtomicBoolean());
    }

    @Override
    public float millisSince(Event earlier) {
        device.enter();
        float[] millis = new float[1];
        Cuda.check(
                JCudaDriver.cuEventElapsedTime(millis, ((CudaEvent) earlier).event(), event),
                "cuEventElapsedTime");
        return millis[0];
    }

    @Override
    public void synchronize() {
        device.enter();
        Cuda.check(JCudaDriver.cuEventSynchronize(event), "the work before cuEventSynchronize");
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            device.enterToFree();
            Cuda.checkFreed(JCudaDriver.cuEventDestroy(event), "cuEventDestroy");
        }
    }
}
