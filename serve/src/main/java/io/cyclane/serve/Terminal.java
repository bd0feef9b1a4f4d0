package io.cyclane.serve;

import java.io.InputStream;
import java.io.PrintWriter;

/**
 * What a command reads and writes.
 *
 * @param in standard input
 * @param out standard output: results only
 * @param err standard error: messages and progress
 * @param watched whether a person sees {@code err}, so that moving bars are of use
 */
public record Terminal(InputStream in, PrintWriter out, PrintWriter err, boolean watched) {}
