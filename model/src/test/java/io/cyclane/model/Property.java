package io.cyclane.model;

/** A system property for as long as this is open; what it was before comes back after. */
final class Property implements AutoCloseable {
    private final String name;
    private final String before;

    private Property(String name, String before) {
        this.name = name;
        this.before = before;
    }

    static Property set(String name, String value) {
        return new Property(name, System.setProperty(name, value));
    }

    /** Sets how many threads a CPU backend opened meanwhile has. */
    static Property threads(int count) {
        return set("cyclane.threads", Integer.toString(count));
    }

    @Override
    public void close() {
        if (before == null) {
            System.clearProperty(name);
        } else {
            System.setProperty(name, before);
        }
    }
}
