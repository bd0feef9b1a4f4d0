package io.cyclane.model.layer;

import java.util.List;

/**
 * Query, key and value as checkpoints of BERT's family store them: three layers side by side, which
 * here are one, read once for all three.
 */
public final class QkvNames {
    /** What stands for query, key and value in a parameter's name. */
    public static final String QKV = "qkv";

    private QkvNames() {}

    /** {@return the stored tensors of a parameter, row blocks in this order} */
    public static List<String> stored(String parameter) {
        String one = "." + QKV + ".";
        return parameter.contains(one)
                ? List.of(
                        parameter.replace(one, ".query."),
                        parameter.replace(one, ".key."),
                        parameter.replace(one, ".value."))
                : List.of(parameter);
    }
}
