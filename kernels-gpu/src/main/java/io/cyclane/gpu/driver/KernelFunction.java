package io.cyclane.gpu.driver;

/** A kernel that can be launched on the device it was loaded on. */
public interface KernelFunction {
    /** {@return its name} */
    String name();
}
