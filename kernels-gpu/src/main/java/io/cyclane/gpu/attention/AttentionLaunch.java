package io.cyclane.gpu.attention;

import io.cyclane.gpu.launch.Argument;
import io.cyclane.gpu.launch.Argument.Count;
import io.cyclane.gpu.launch.Argument.Int;
import io.cyclane.gpu.launch.Entry;
import io.cyclane.gpu.launch.Launch;
import io.cyclane.gpu.launch.Operands;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.op.Attention;
import java.util.List;

/** Attention by the kernel for the narrowest heads that hold the layer's. */
public final class AttentionLaunch {
    /** The widest head there is a kernel for. */
    public static final int MOST_HEAD_WIDTH = 384;

    private static final List<Form> F32 =
            List.of(
                    new Form(Entry.ATTENTION_32_F32, 32, 32),
                    new Form(Entry.ATTENTION_64_F32, 64, 32),
                    new Form(Entry.ATTENTION_128_F32, 128, 32),
                    new Form(Entry.ATTENTION_384_F32, MOST_HEAD_WIDTH, 8));

    private static final List<Form> BF16 =
            List.of(
                    new Form(Entry.ATTENTION_32_BF16, 32, 128),
                    new Form(Entry.ATTENTION_64_BF16, 64, 128),
                    new Form(Entry.ATTENTION_128_BF16, 128, 64),
                    new Form(Entry.ATTENTION_384_BF16, MOST_HEAD_WIDTH, 8));

    private AttentionLaunch() {}

    /** {@return the launch} */
    public static Launch of(Attention attention, Operands to) {
        int headWidth = to.shape(0).last() / attention.heads();
        Form form = Form.of(to.inputType(0).dtype(), headWidth);
        Count tokens = to.rows(to.shape(0));
        Count sequences = to.sequences(3);
        return new Launch(
                form.entry,
                // Each sequence begins a tile of its own: at most one more than its whole ones.
                Math.addExact(tokens.bound() / form.queries, sequences.bound()),
                attention.heads(),
                List.of(
                        to.input(0),
                        to.input(1),
                        to.input(2),
                        to.input(3),
                        to.result(),
                        to.result(1),
                        sequences,
                        new Int(attention.heads()),
                        new Int(headWidth),
                        new Argument.Float(attention.scale()),
                        new Int(attention.window())));
    }

    /** A kernel, as its source has it: the widest head, queries of a tile. */
    private record Form(Entry entry, int width, int queries) {
        static Form of(DType dtype, int headWidth) {
            for (Form form : dtype == DType.BF16 ? BF16 : F32) {
                if (headWidth <= form.width) {
                    return form;
                }
            }
            throw new AssertionError("no kernel for a head of " + headWidth);
        }
    }
}
