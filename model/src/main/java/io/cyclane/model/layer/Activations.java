package io.cyclane.model.layer;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.tensor.op.Activation;

/** The names that Hugging Face configurations give to activation functions. */
public final class Activations {
    private Activations() {}

    /**
     * {@return the function a configuration names}
     *
     * @throws CheckpointException when it is none of those we have
     */
    public static Activation named(ModelConfig config, String key) {
        String name = config.string(key);
        return switch (name) {
            case "gelu", "gelu_python" -> Activation.GELU;
            case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> Activation.GELU_TANH;
            case "relu" -> Activation.RELU;
            case "silu", "swish" -> Activation.SILU;
            case "tanh" -> Activation.TANH;
            default ->
                    throw new CheckpointException(
                            "%s: '%s' is '%s'; gelu, gelu_new, gelu_pytorch_tanh, relu, silu and tanh are known"
                                    .formatted(config.source(), key, name));
        };
    }
}
