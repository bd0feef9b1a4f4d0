package io.cyclane.gpu.driver;

import java.util.Optional;

/** A way to reach devices that run PTX. */
public interface Driver {
    /**
     * {@return why no device can be used, in one sentence with the way out} No native code is
     * touched before it is known that the system has the driver's library.
     *
     * @param needed the CUDA version whose PTX is to be loaded
     */
    Optional<String> obstacle(CudaVersion needed);

    /** {@return the first device, in a context that its {@link Device#close} gives back} */
    Device open();
}
