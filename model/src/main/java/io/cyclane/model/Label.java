package io.cyclane.model;

/**
 * A label and how sure the model is of it.
 *
 * @param name as the model's {@code id2label} has it, else {@code LABEL_n}
 * @param score a probability, 0 to 1
 */
public record Label(String name, float score) {}
