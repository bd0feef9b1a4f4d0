package io.cyclane.gpu.driver;

/** A version of CUDA: a driver takes PTX of its own and of older versions. */
public record CudaVersion(int major, int minor) implements Comparable<CudaVersion> {
    /** {@return the version that a driver tells as one number: 13020 is 13.2} */
    public static CudaVersion ofNumber(int number) {
        return new CudaVersion(number / 1000, number % 1000 / 10);
    }

    /** {@return the version written as {@code 13.0}} */
    public static CudaVersion parse(String text) {
        String[] parts = text.split("\\.", 2);
        return new CudaVersion(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
    }

    @Override
    public int compareTo(CudaVersion other) {
        return major != other.major
                ? Integer.compare(major, other.major)
                : Integer.compare(minor, other.minor);
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}
