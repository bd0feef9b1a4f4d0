package io.cyclane.gpu.driver;

/**
 * What a device is.
 *
 * @param computeMajor its compute capability, before the point
 * @param computeMinor and after it
 */
public record DeviceTraits(
        String name, long memoryBytes, int computeMajor, int computeMinor, int multiprocessors) {}
