// The functions of io.cyclane.tensor.op.Activation, by their ordinal.
#pragma once

enum Activation { IDENTITY, GELU, GELU_TANH, SILU, RELU, TANH };

__device__ __forceinline__ float activate(int function, float x) {
    switch (function) {
        case GELU:
            return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
        case GELU_TANH:
            return 0.5f * x * (1.0f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
        case SILU:
            return x / (1.0f + expf(-x));
        case RELU:
            return fmaxf(x, 0.0f);
        case TANH:
            return tanhf(x);
        default:
            return x;
    }
}
