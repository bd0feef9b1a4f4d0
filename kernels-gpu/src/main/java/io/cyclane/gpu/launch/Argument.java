package io.cyclane.gpu.launch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** One argument of a launch. */
public sealed interface Argument {
    /** {@return its type} */
    Kind kind();

    /** Writes its bytes, as a device reads them. */
    void write(ByteBuffer to);

    /** {@return its bytes, as a device reads them} */
    default byte[] bytes() {
        ByteBuffer bytes = ByteBuffer.allocate(kind().bytes()).order(ByteOrder.LITTLE_ENDIAN);
        write(bytes);
        return bytes.array();
    }

    /**
     * A value's place on the device.
     *
     * @param address of its first byte; 0 for a value that is left out
     * @param offset address of an I64 that holds how many bytes further it lies in this round, or 0
     */
    record Operand(long address, long offset) implements Argument {
        /** A value that is not there. */
        public static final Operand NONE = new Operand(0, 0);

        /** A value that never moves. */
        public Operand(long address) {
            this(address, 0);
        }

        /** {@return the place so many bytes further} */
        public Operand plus(long bytes) {
            return new Operand(address + bytes, offset);
        }

        @Override
        public Kind kind() {
            return Kind.OPERAND;
        }

        @Override
        public void write(ByteBuffer to) {
            to.putLong(address).putLong(offset);
        }
    }

    /**
     * A count of the current run: {@code cell * factor + more}, or {@code more} where there is no
     * cell.
     *
     * @param cell address of an I32, or 0
     * @param bound the most it can be, which grids are laid out for
     */
    record Count(long cell, int factor, int more, int bound) implements Argument {
        /** {@return the count that is always n} */
        public static Count fixed(int n) {
            return new Count(0, 0, n, n);
        }

        /** {@return the count where each of these elements has {@code n}} */
        public Count times(int n) {
            return new Count(
                    cell,
                    Math.multiplyExact(factor, n),
                    Math.multiplyExact(more, n),
                    Math.multiplyExact(bound, n));
        }

        /** {@return the count of the borders between these elements: one more} */
        public Count borders() {
            return new Count(cell, factor, Math.addExact(more, 1), Math.addExact(bound, 1));
        }

        @Override
        public Kind kind() {
            return Kind.COUNT;
        }

        @Override
        public void write(ByteBuffer to) {
            to.putLong(cell).putInt(factor).putInt(more);
        }
    }

    /** The results that a layer's columns are dealt to, in order. */
    record Parts(List<Operand> parts) implements Argument {
        /** The most results there can be. */
        public static final int MOST = 4;

        public Parts {
            parts = List.copyOf(parts);
        }

        @Override
        public Kind kind() {
            return Kind.PARTS;
        }

        @Override
        public void write(ByteBuffer to) {
            parts.forEach(part -> part.write(to));
        }
    }

    /** An address in device memory. */
    record Address(long value) implements Argument {
        @Override
        public Kind kind() {
            return Kind.ADDRESS;
        }

        @Override
        public void write(ByteBuffer to) {
            to.putLong(value);
        }
    }

    /** A number. */
    record Int(int value) implements Argument {
        /** {@return 1 for true} */
        public static Int of(boolean claim) {
            return new Int(claim ? 1 : 0);
        }

        @Override
        public Kind kind() {
            return Kind.INT;
        }

        @Override
        public void write(ByteBuffer to) {
            to.putInt(value);
        }
    }

    /** A number. */
    record Float(float value) implements Argument {
        @Override
        public Kind kind() {
            return Kind.FLOAT;
        }

        @Override
        public void write(ByteBuffer to) {
            to.putFloat(value);
        }
    }
}
