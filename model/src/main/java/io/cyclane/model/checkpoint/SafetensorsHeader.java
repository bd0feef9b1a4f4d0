package io.cyclane.model.checkpoint;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * The header of a safetensors file, read and held against every rule of the format.
 *
 * <p>Offsets count from the first byte after the header. Entries are in the order they lie in the
 * file; together they cover it, with no hole, no overlap and nothing left over.
 */
record SafetensorsHeader(List<Entry> entries, Map<String, String> metadata) {
    static final String METADATA = "__metadata__";

    /** Real files have a handful; each takes a multiple of its bytes in memory. */
    private static final int MOST_REMARKS = 1 << 16;

    /** One tensor: bytes {@code begin} to {@code end} of the data part, {@code end} excluded. */
    record Entry(String name, StoredType type, List<Long> extents, long begin, long end) {}

    /**
     * Parses and checks a header.
     *
     * @param dataBytes how many bytes follow the header in the file
     * @throws CheckpointException naming the tensor and the rule it breaks
     */
    static SafetensorsHeader parse(String source, byte[] utf8, long dataBytes) {
        if (utf8.length == 0 || utf8[0] != '{') {
            throw new CheckpointException(
                    source + ": the header must start with '{'; is this a safetensors file?");
        }
        SafetensorsHeader header =
                StrictJson.object(source, utf8, json -> new Parser(source, json).header());
        checkCoverage(source, header.entries, dataBytes);
        return header;
    }

    private static void checkCoverage(String source, List<Entry> entries, long dataBytes) {
        long covered = 0;
        String before = "the header";
        for (Entry entry : entries) {
            if (entry.begin != covered) {
                throw new CheckpointException(
                        "%s: tensor '%s' starts at %d, %s ends at %d: offsets must not %s"
                                .formatted(
                                        source,
                                        entry.name,
                                        entry.begin,
                                        before,
                                        covered,
                                        entry.begin < covered ? "overlap" : "leave holes"));
            }
            covered = entry.end;
            before = "'" + entry.name + "'";
        }
        if (covered != dataBytes) {
            throw new CheckpointException(
                    "%s: the tensors end at byte %d of the data, the file has %d: it is %s"
                            .formatted(
                                    source,
                                    covered,
                                    dataBytes,
                                    covered > dataBytes ? "cut short" : "too long"));
        }
    }

    private record Parser(String source, JsonParser json) {
        SafetensorsHeader header() {
            Map<String, Entry> entries = new LinkedHashMap<>();
            Map<String, String> metadata = null;
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String name = StrictJson.text(source, json);
                json.nextToken();
                if (name.equals(METADATA)) {
                    if (metadata != null) {
                        throw twice(METADATA);
                    }
                    metadata = metadata();
                } else if (entries.put(name, entry(name)) != null) {
                    throw twice(name);
                }
            }
            List<Entry> sorted = new ArrayList<>(entries.values());
            sorted.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
            return new SafetensorsHeader(
                    List.copyOf(sorted), metadata == null ? Map.of() : Map.copyOf(metadata));
        }

        private Map<String, String> metadata() {
            if (json.currentToken() != JsonToken.START_OBJECT) {
                throw new CheckpointException(
                        source + ": '" + METADATA + "' must be an object of strings");
            }
            Map<String, String> metadata = new LinkedHashMap<>();
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String key = StrictJson.text(source, json);
                json.nextToken();
                if (json.currentToken() != JsonToken.VALUE_STRING) {
                    throw new CheckpointException(
                            "%s: '%s' holds strings only, '%s' is none"
                                    .formatted(source, METADATA, key));
                }
                if (metadata.put(key, StrictJson.text(source, json)) != null) {
                    throw twice(METADATA + "." + key);
                }
                if (metadata.size() > MOST_REMARKS) {
                    throw new CheckpointException(
                            "%s: '%s' holds more than %d remarks"
                                    .formatted(source, METADATA, MOST_REMARKS));
                }
            }
            return metadata;
        }

        private Entry entry(String name) {
            if (json.currentToken() != JsonToken.START_OBJECT) {
                throw wrong(name, "must be an object");
            }
            StoredType type = null;
            List<Long> extents = null;
            List<Long> offsets = null;
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String key = json.currentName();
                json.nextToken();
                switch (key) {
                    case "dtype" -> {
                        requireOnce(type, name, key);
                        type = type(name);
                    }
                    case "shape" -> {
                        requireOnce(extents, name, key);
                        extents = longs(name, key);
                    }
                    case "data_offsets" -> {
                        requireOnce(offsets, name, key);
                        offsets = longs(name, key);
                    }
                    default -> throw wrong(name, "has a field '" + key + "' that nobody knows");
                }
            }
            if (type == null || extents == null || offsets == null) {
                throw wrong(name, "needs each of dtype, shape and data_offsets");
            }
            return checked(name, type, extents, offsets);
        }

        private Entry checked(
                String name, StoredType type, List<Long> extents, List<Long> offsets) {
            if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
                throw wrong(name, "data_offsets must be [begin, end], they are " + offsets);
            }
            long begin = offsets.get(0);
            long end = offsets.get(1);
            long wanted;
            try {
                wanted = type.bytes(extents);
            } catch (ArithmeticException e) {
                throw wrong(name, "shape %s of %s: %s".formatted(extents, type, e.getMessage()));
            }
            if (end - begin != wanted) {
                throw wrong(
                        name,
                        "shape %s of %s takes %d bytes, data_offsets %s hold %d"
                                .formatted(extents, type, wanted, offsets, end - begin));
            }
            return new Entry(name, type, extents, begin, end);
        }

        private StoredType type(String name) {
            if (json.currentToken() != JsonToken.VALUE_STRING) {
                throw wrong(name, "dtype must be a string");
            }
            String type = StrictJson.text(source, json);
            return StoredType.named(type)
                    .orElseThrow(() -> wrong(name, "has the unknown dtype '" + type + "'"));
        }

        private List<Long> longs(String name, String key) {
            if (json.currentToken() != JsonToken.START_ARRAY) {
                throw wrong(name, key + " must be a list of integers");
            }
            List<Long> values = new ArrayList<>(4);
            while (json.nextToken() != JsonToken.END_ARRAY) {
                if (json.currentToken() != JsonToken.VALUE_NUMBER_INT) {
                    throw wrong(name, key + " must hold integers");
                }
                long value = json.getLongValue();
                if (value < 0) {
                    throw wrong(name, key + " holds the negative " + value);
                }
                values.add(value);
            }
            return List.copyOf(values);
        }

        private void requireOnce(@Nullable Object before, String name, String key) {
            if (before != null) {
                throw twice(name + "." + key);
            }
        }

        private CheckpointException twice(String name) {
            return new CheckpointException(source + ": the key '" + name + "' stands there twice");
        }

        private CheckpointException wrong(String name, String what) {
            return new CheckpointException(source + ": tensor '" + name + "' " + what);
        }
    }
}
