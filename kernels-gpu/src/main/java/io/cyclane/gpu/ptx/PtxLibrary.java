package io.cyclane.gpu.ptx;

import io.cyclane.gpu.driver.CudaVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/**
 * The kernels as PTX, one file per source, and {@code ptx.properties}, which tells what they were
 * compiled from and with.
 */
public final class PtxLibrary {
    private static final Properties PROPERTIES = properties();

    private PtxLibrary() {}

    /** {@return the PTX of a source} */
    public static byte[] of(String source) {
        try (InputStream in = open(source + ".ptx")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@return the CUDA version whose drivers and later ones take the PTX} */
    public static CudaVersion toolkit() {
        return CudaVersion.parse(property("toolkit"));
    }

    /** {@return what {@code ptx.properties} says} */
    public static String property(String key) {
        String value = PROPERTIES.getProperty(key);
        if (value == null) {
            throw new IllegalStateException("ptx.properties has no '" + key + "'");
        }
        return value;
    }

    private static Properties properties() {
        Properties properties = new Properties();
        try (InputStream in = open("ptx.properties")) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties;
    }

    private static InputStream open(String name) {
        InputStream in = PtxLibrary.class.getResourceAsStream(name);
        if (in == null) {
            throw new IllegalStateException(
                    "there is no " + name + " beside PtxLibrary: build with bin/verify -Pptx");
        }
        return in;
    }
}
