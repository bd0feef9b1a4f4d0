package io.cyclane.tensor;

/**
 * A handle for a value of a program. It owns no bytes and holds no data: where the value lies is
 * the plan's business, and what can be done with it the recorder's.
 *
 * <p>Two tensors are the same value only if they are the same object. Immutable.
 */
public final class Tensor {
    private final int id;
    private final String name;
    private final Type type;

    /**
     * A handle for a new value.
     *
     * @param id unique in its program
     * @param name for messages and plans; inputs and outputs are found by it
     */
    public Tensor(int id, String name, Type type) {
        this.id = id;
        this.name = name;
        this.type = type;
    }

    /** {@return a number unique in the value's program} */
    public int id() {
        return id;
    }

    /** {@return what the value is called in messages and plans} */
    public String name() {
        return name;
    }

    /** {@return shape and element type} */
    public Type type() {
        return type;
    }

    /** {@return the shape} */
    public Shape shape() {
        return type.shape();
    }

    /** {@return the element type} */
    public DType dtype() {
        return type.dtype();
    }

    @Override
    public String toString() {
        return "%" + id + " '" + name + "' " + type;
    }
}
