package io.cyclane.model.checkpoint;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * A model in several safetensors files: {@code weight_map} says which file holds which tensor.
 *
 * <p>The files stand beside the index. Together they must hold exactly the tensors of the map, each
 * in the file the map says.
 */
final class ShardIndex {
    /** Some 100,000 tensors; no real index comes near. */
    private static final int MOST_BYTES = 8 << 20;

    private ShardIndex() {}

    static Checkpoint open(Path index) {
        String source;
        Map<String, String> fileOf;
        try (MappedFile file = MappedFile.open("safetensors index", index)) {
            source = file.source();
            if (file.length() > MOST_BYTES) {
                throw new CheckpointException(
                        "%s: it has %d bytes, at most %d are allowed"
                                .formatted(source, file.length(), MOST_BYTES));
            }
            byte[] utf8 = file.read(0, (int) file.length());
            fileOf = StrictJson.object(source, utf8, json -> weightMap(source, json));
        }
        List<MappedFile> opened = new ArrayList<>();
        try {
            return open(source, index, fileOf, opened);
        } catch (RuntimeException e) {
            Checkpoint.closeAll(opened);
            throw e;
        }
    }

    private static Checkpoint open(
            String source, Path index, Map<String, String> fileOf, List<MappedFile> opened) {
        List<Checkpoint.Part> parts = new ArrayList<>();
        Map<String, String> metadata = new TreeMap<>();
        Set<String> missing = new HashSet<>(fileOf.keySet());
        for (String shard : new TreeSet<>(fileOf.values())) {
            MappedFile file = MappedFile.open("safetensors", index.resolveSibling(shard));
            opened.add(file);
            Safetensors.Loaded loaded = Safetensors.load(file);
            for (StoredTensor tensor : loaded.part().tensors()) {
                if (!shard.equals(fileOf.get(tensor.name()))) {
                    throw new CheckpointException(
                            "%s: '%s' holds tensor '%s', which the map does not say"
                                    .formatted(source, shard, tensor.name()));
                }
                missing.remove(tensor.name());
            }
            parts.add(loaded.part());
            metadata.putAll(loaded.metadata());
        }
        if (!missing.isEmpty()) {
            String name = new TreeSet<>(missing).first();
            throw new CheckpointException(
                    "%s: tensor '%s' is not in '%s', where the map has it"
                            .formatted(source, name, fileOf.get(name)));
        }
        return new Checkpoint(source, parts, metadata);
    }

    private static Map<String, String> weightMap(String source, JsonParser json) {
        Map<String, String> fileOf = null;
        while (json.nextToken() != JsonToken.END_OBJECT) {
            boolean isMap = json.currentName().equals("weight_map");
            json.nextToken();
            if (!isMap) {
                json.skipChildren(); // sizes and other remarks
                continue;
            }
            if (json.currentToken() != JsonToken.START_OBJECT) {
                throw new CheckpointException(source + ": weight_map must be an object");
            }
            fileOf = files(source, json);
        }
        if (fileOf == null) {
            throw new CheckpointException(source + ": it has no weight_map");
        }
        return fileOf;
    }

    private static Map<String, String> files(String source, JsonParser json) {
        Map<String, String> fileOf = new LinkedHashMap<>();
        Map<String, String> known = new HashMap<>(); // few files, many tensors: one text each
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String name = StrictJson.text(source, json);
            if (json.nextToken() != JsonToken.VALUE_STRING) {
                throw new CheckpointException(
                        source + ": weight_map must name a file for '" + name + "'");
            }
            String file = StrictJson.text(source, json);
            boolean isPlain =
                    file.endsWith(".safetensors") && file.matches("[A-Za-z0-9_][A-Za-z0-9._-]*");
            if (!isPlain) {
                throw new CheckpointException(
                        "%s: tensor '%s' is in '%s', which is not the plain name of a safetensors"
                                        .formatted(source, name, file)
                                + " file");
            }
            String sameFile = known.computeIfAbsent(file, itself -> itself);
            if (fileOf.put(name, sameFile) != null) {
                throw new CheckpointException(
                        source + ": tensor '" + name + "' stands there twice");
            }
        }
        return fileOf;
    }
}
