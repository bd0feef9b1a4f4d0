package io.cyclane.model.json;

/** Bytes that are no JSON; whoever knows which file they are of makes an error for people of it. */
public final class JsonException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    JsonException(String what, int at) {
        super("%s at byte %d".formatted(what, at));
    }
}
