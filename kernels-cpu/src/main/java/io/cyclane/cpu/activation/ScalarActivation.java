package io.cyclane.cpu.activation;

import io.cyclane.cpu.math.ScalarMath;
import io.cyclane.tensor.op.Activation;

/** Activations of arrays, in place. */
public final class ScalarActivation {
    private ScalarActivation() {}

    /** Applies an activation to {@code n} elements from {@code first} on. */
    public static void apply(Activation activation, float[] x, int first, int n) {
        int end = first + n;
        switch (activation) {
            case IDENTITY -> {}
            case GELU -> {
                for (int i = first; i < end; i++) {
                    x[i] = ScalarMath.gelu(x[i]);
                }
            }
            case GELU_TANH -> {
                for (int i = first; i < end; i++) {
                    x[i] = ScalarMath.geluTanh(x[i]);
                }
            }
            case SILU -> {
                for (int i = first; i < end; i++) {
                    x[i] = ScalarMath.silu(x[i]);
                }
            }
            case RELU -> {
                for (int i = first; i < end; i++) {
                    x[i] = x[i] < 0f ? 0f : x[i];
                }
            }
            case TANH -> {
                for (int i = first; i < end; i++) {
                    x[i] = ScalarMath.tanh(x[i]);
                }
            }
        }
    }
}
