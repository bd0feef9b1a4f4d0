package io.cyclane.bench.gemm;

import io.cyclane.bench.BenchException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A product {@code x . weight^T} of an encoder's dense layers: x [rows, in], weight [out, in].
 * Written {@code rows x in x out}: {@code 384x768x3072}.
 */
record GemmShape(int rows, int in, int out) {
    private static final Pattern FORM = Pattern.compile("(\\d{1,6})x(\\d{1,6})x(\\d{1,6})");

    GemmShape {
        if (rows < 1 || in < 1 || out < 1) {
            throw new BenchException("no extent of a product may be 0");
        }
    }

    static GemmShape of(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new BenchException(
                    "a product is written rows x in x out, such as 384x768x3072, not '%s'"
                            .formatted(text));
        }
        return new GemmShape(
                Integer.parseInt(form.group(1)),
                Integer.parseInt(form.group(2)),
                Integer.parseInt(form.group(3)));
    }

    /** {@return floating-point operations: a multiplication and an addition per product} */
    double flops() {
        return 2.0 * rows * in * out;
    }

    long weightBytes() {
        return 4L * in * out;
    }

    @Override
    public String toString() {
        return rows + "x" + in + "x" + out;
    }
}
