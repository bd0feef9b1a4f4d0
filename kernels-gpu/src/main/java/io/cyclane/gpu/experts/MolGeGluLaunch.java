package io.cyclane.gpu.experts;

import io.cyclane.gpu.driver.DeviceMemory;
import io.cyclane.gpu.launch.Argument;
import io.cyclane.gpu.launch.Argument.Address;
import io.cyclane.gpu.launch.Argument.Count;
import io.cyclane.gpu.launch.Argument.Int;
import io.cyclane.gpu.launch.Argument.Operand;
import io.cyclane.gpu.launch.Entry;
import io.cyclane.gpu.launch.Launch;
import io.cyclane.gpu.launch.Operands;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.MolGeGlu;
import java.util.ArrayList;
import java.util.List;

/**
 * The mixture of LoRAs, of whole layers or of weights, in four launches: the products with the
 * experts' first factors, those with wi and all that follows them, the sum of what their tiles gave
 * for the thin products, and the products with wo and all that follows them. {@code mixture.cu}
 * says why.
 */
public final class MolGeGluLaunch {
    /**
     * Rows of a tile, its columns, and how many of them are not gates, as the sources have them.
     */
    private static final int ROWS = 64;

    private static final int COLUMNS = 64;
    private static final int HIDDEN = COLUMNS / 2;

    /**
     * Up to so many experts a choice all of them are multiplied, as one dense layer, and the
     * products that nobody chose are left: that costs less than to group the choices and to gather
     * x for each of them.
     */
    private static final int MOST_STACKED = 4;

    private MolGeGluLaunch() {}

    /** The extents, all of them bounds, and where in scratch the values between launches lie. */
    private record Layout(
            DType dtype,
            int rows,
            int choices,
            int experts,
            int rank,
            int inner,
            int hidden,
            int outputs) {
        static Layout of(List<Type> inputs) {
            Type experts = inputs.get(MolGeGlu.EXPERTS);
            Type a1 = inputs.get(MolGeGlu.A1);
            Type wo = inputs.get(MolGeGlu.WO);
            int choices = experts.shape().last();
            return new Layout(
                    inputs.get(MolGeGlu.X).dtype(),
                    Math.toIntExact(experts.shape().elements() / choices),
                    choices,
                    a1.shape().extent(0).bound(),
                    a1.shape().extent(1).bound(),
                    a1.shape().extent(2).bound(),
                    wo.shape().extent(1).bound(),
                    wo.shape().extent(0).bound());
        }

        boolean isStacked() {
            return experts <= MOST_STACKED * choices;
        }

        int tiles() {
            return Launch.ceil(hidden, HIDDEN);
        }

        long mixedAt() {
            return DeviceMemory.aligned(
                    (long) dtype.bytes() * rows * (isStacked() ? experts : choices) * rank);
        }

        long partialsAt() {
            return mixedAt() + DeviceMemory.aligned((long) dtype.bytes() * rows * hidden);
        }

        long narrowAt() {
            return partialsAt()
                    + DeviceMemory.aligned((long) Float.BYTES * rows * choices * rank * tiles());
        }

        long groupsAt() {
            return narrowAt() + DeviceMemory.aligned((long) Float.BYTES * rows * choices * rank);
        }

        long bytes() {
            return groupsAt() + (isStacked() ? 0 : Groups.bytes((long) rows * choices, experts));
        }
    }

    /** {@return the scratch for all that lies between the launches} */
    public static long scratchBytes(List<Type> inputs) {
        return Layout.of(inputs).bytes();
    }

    /**
     * {@return the launches}
     *
     * @param asTf32 whether F32 values are multiplied as tf32
     */
    public static List<Launch> of(MolGeGlu mol, Operands to, boolean asTf32) {
        Layout layout = Layout.of(to.inputTypes());
        Address fault = Groups.fault(to, layout.experts);
        List<Launch> launches = new ArrayList<>(down(layout, to, fault, asTf32));
        launches.add(in(mol, layout, to, asTf32));
        launches.add(sum(mol, layout, to, fault));
        launches.add(out(mol, layout, to, asTf32));
        return launches;
    }

    private static Count rows(Operands to) {
        return to.rows(to.shape(MolGeGlu.X));
    }

    private static List<Launch> down(Layout layout, Operands to, Address fault, boolean asTf32) {
        Operand x = to.input(MolGeGlu.X);
        Operand a1 = to.input(MolGeGlu.A1);
        Operand u = to.scratch();
        if (layout.isStacked()) {
            int outputs = Math.multiplyExact(layout.experts, layout.rank);
            return List.of(
                    new Launch(
                            form(Entry.MOL_DOWN_F32, layout, asTf32),
                            Launch.ceil(outputs, COLUMNS),
                            Launch.ceil(layout.rows, ROWS),
                            List.of(x, a1, u, rows(to), new Int(layout.inner), new Int(outputs))));
        }
        Groups groups =
                new Groups(
                        u.plus(layout.groupsAt()),
                        to.elements(to.shape(MolGeGlu.EXPERTS)),
                        layout.experts);
        return ExpertMatMulLaunch.launches(
                groups,
                fault,
                layout.dtype,
                x,
                to.input(MolGeGlu.EXPERTS),
                a1,
                Operand.NONE,
                u,
                layout.choices,
                true,
                layout.inner,
                layout.rank,
                1);
    }

    private static Entry form(Entry f32, Layout layout, boolean asTf32) {
        return asTf32 && layout.dtype == DType.F32 ? f32.asTf32() : f32.of(layout.dtype);
    }

    /** The distances of a factor's outputs and ranks, packed or as it is stored. */
    private static List<Int> strides(Layout layout, Operands to, int factor) {
        return to.isWeight(factor) && layout.dtype == DType.F32
                ? List.of(new Int(1), new Int(to.shape(factor).extent(1).bound()))
                : List.of(new Int(layout.rank), new Int(1));
    }

    private static Launch in(MolGeGlu mol, Layout layout, Operands to, boolean asTf32) {
        Operand scratch = to.scratch();
        List<Int> strides = strides(layout, to, MolGeGlu.B1);
        return new Launch(
                form(Entry.MOL_IN_F32, layout, asTf32),
                layout.tiles(),
                Launch.ceil(layout.rows, ROWS),
                List.of(
                        to.input(MolGeGlu.X),
                        to.input(MolGeGlu.EXPERTS),
                        to.input(MolGeGlu.GATES),
                        to.input(MolGeGlu.WI),
                        scratch,
                        to.input(MolGeGlu.B1),
                        to.input(MolGeGlu.A2),
                        scratch.plus(layout.mixedAt()),
                        scratch.plus(layout.partialsAt()),
                        rows(to),
                        new Int(layout.rows),
                        new Int(layout.experts),
                        new Int(layout.choices),
                        new Int(layout.rank),
                        strides.getFirst(),
                        strides.getLast(),
                        new Int(layout.inner),
                        new Int(layout.hidden),
                        Int.of(layout.isStacked()),
                        Int.of(mol.mixedWeights()),
                        new Argument.Float(mol.scale())));
    }

    private static Launch sum(MolGeGlu mol, Layout layout, Operands to, Address fault) {
        Operand scratch = to.scratch();
        return new Launch(
                Entry.MOL_SUM_F32,
                Launch.ceil(layout.rows, Entry.MOL_SUM_F32.threads()),
                Math.multiplyExact(layout.choices, layout.rank),
                List.of(
                        to.input(MolGeGlu.EXPERTS),
                        to.input(MolGeGlu.GATES),
                        scratch.plus(layout.partialsAt()),
                        scratch.plus(layout.narrowAt()),
                        rows(to),
                        new Int(layout.rows),
                        new Int(layout.experts),
                        new Int(layout.choices),
                        new Int(layout.rank),
                        new Int(layout.tiles()),
                        new Argument.Float(mol.scale()),
                        fault));
    }

    private static Launch out(MolGeGlu mol, Layout layout, Operands to, boolean asTf32) {
        Operand scratch = to.scratch();
        List<Int> strides = strides(layout, to, MolGeGlu.B2);
        return new Launch(
                form(Entry.MOL_OUT_F32, layout, asTf32),
                Launch.ceil(layout.outputs, COLUMNS),
                Launch.ceil(layout.rows, ROWS),
                List.of(
                        scratch.plus(layout.mixedAt()),
                        to.input(MolGeGlu.EXPERTS),
                        to.input(MolGeGlu.WO),
                        scratch.plus(layout.narrowAt()),
                        to.input(MolGeGlu.B2),
                        to.inputIf(mol.residual(), MolGeGlu.RESIDUAL),
                        to.result(),
                        rows(to),
                        new Int(layout.rows),
                        new Int(layout.experts),
                        new Int(layout.choices),
                        new Int(layout.rank),
                        strides.getFirst(),
                        strides.getLast(),
                        new Int(layout.hidden),
                        new Int(layout.outputs)));
    }
}
