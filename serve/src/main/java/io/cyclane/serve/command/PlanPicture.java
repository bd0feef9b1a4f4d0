package io.cyclane.serve.command;

import io.cyclane.model.GroupPlan;
import io.cyclane.model.PlanReport;
import io.cyclane.tensor.memory.PlanMap;
import java.awt.Color;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;

/**
 * The slots of a plan over its steps: time to the right, rounds of a group that are the same once,
 * however many; the arena upwards.
 */
final class PlanPicture {
    private static final int LEFT = 90;
    private static final int TOP = 60;
    private static final int BELOW = 50;
    private static final int HEIGHT = 560;
    private static final int LEAST_WIDTH = 900;

    private static final Color TRANSIENT = new Color(0x7f, 0xb0, 0xd8);
    private static final Color CARRY = new Color(0xe0, 0x8e, 0x45);
    private static final Color SCRATCH = new Color(0xbf, 0xbf, 0xbf);
    private static final Color OUTPUT = new Color(0x6a, 0xa8, 0x6a);

    private final PlanMap map;
    private final List<String> labels;
    private final long arenaBytes;
    private final int step;

    private PlanPicture(PlanReport plan) {
        map = plan.map();
        labels = labels(plan);
        arenaBytes = Math.max(1, plan.arenaBytes());
        step = Math.max(4, Math.ceilDiv(LEAST_WIDTH, map.moments().size() + 1));
    }

    static void write(PlanReport plan, Path file) {
        new PlanPicture(plan).draw(file);
    }

    /** {@return for each body its group and rounds} */
    static List<String> labels(PlanReport plan) {
        List<String> labels = new ArrayList<>();
        // The last may be missing: where only first tokens are asked for, it is written out.
        Iterator<PlanMap.Body> bodies = plan.map().bodies().iterator();
        for (int i = 0; i < plan.groups().size(); i++) {
            GroupPlan group = plan.groups().get(i);
            int done = 0;
            for (int repeat = 0; repeat < group.repeats() && bodies.hasNext(); repeat++) {
                int rounds = bodies.next().rounds();
                String which;
                if (group.repeats() == 1) {
                    which = rounds == 1 ? "1 round" : rounds + " rounds";
                } else if (rounds == 1) {
                    which = "round " + (done + 1);
                } else {
                    which = "rounds %d to %d".formatted(done + 1, done + rounds);
                }
                labels.add("group %d, %s".formatted(i + 1, which));
                done += rounds;
            }
        }
        return labels;
    }

    private void draw(Path file) {
        int width = LEFT + step * (map.moments().size() + 1) + 30;
        try (Picture picture = new Picture(width, TOP + HEIGHT + BELOW)) {
            picture.text(
                    String.format(
                            Locale.ROOT,
                            "what lies where in the arena of %,d bytes, over %d steps; equal"
                                    + " rounds of a group use the same places and are drawn once",
                            arenaBytes,
                            map.moments().size()),
                    LEFT,
                    20,
                    Picture.INK);
            legend(picture);
            for (int i = 0; i < map.bodies().size(); i++) {
                body(picture, map.bodies().get(i), labels.get(i));
            }
            map.regions().forEach(region -> region(picture, region));
            axis(picture);
            picture.write(file);
        }
    }

    private static void legend(Picture picture) {
        int x = LEFT;
        Object[][] entries = {
            {"a value of one round", TRANSIENT},
            {"the carry, handed from round to round", CARRY},
            {"scratch of one step", SCRATCH},
            {"what the caller reads", OUTPUT}
        };
        for (Object[] entry : entries) {
            picture.box(x, 28, 10, 10, (Color) entry[1]);
            picture.text((String) entry[0], x + 14, 37, Picture.INK);
            String label = (String) entry[0];
            x += picture.graphics().getFontMetrics().stringWidth(label) + 34;
        }
    }

    private void body(Picture picture, PlanMap.Body body, String name) {
        int from = x(body.from());
        int to = x(body.to() + 1);
        picture.graphics().setColor(Picture.FAINT);
        picture.graphics().drawLine(from, TOP - 8, from, TOP + HEIGHT);
        picture.graphics().drawLine(to, TOP - 8, to, TOP + HEIGHT);
        String times = body.rounds() + "x";
        for (String label : new String[] {name, times}) {
            int wide = picture.graphics().getFontMetrics().stringWidth(label);
            if (wide < to - from - 2) {
                picture.text(label, (from + to - wide) / 2, TOP - 6, Picture.INK);
                return;
            }
        }
    }

    private void region(Picture picture, PlanMap.Region region) {
        Color color =
                switch (region.kind()) {
                    case TRANSIENT -> TRANSIENT;
                    case CARRY -> CARRY;
                    case SCRATCH -> SCRATCH;
                    case OUTPUT -> OUTPUT;
                };
        int left = x(region.from());
        int right = x(region.to() + 1);
        int top = y(region.offset() + region.length());
        int height = Math.max(1, y(region.offset()) - top);
        picture.box(left, top, right - left, height, color);
        picture.graphics().setColor(Color.WHITE);
        picture.graphics().drawRect(left, top, right - left, height);
    }

    private void axis(Picture picture) {
        for (int i = 0; i <= 4; i++) {
            long bytes = arenaBytes / 4 * i;
            String mib = String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
            picture.textBefore(mib, LEFT - 6, y(bytes) + 4, LEFT - 10);
        }
        picture.text("steps, in the order they run", LEFT, TOP + HEIGHT + 20, Picture.INK);
    }

    private int x(int moment) {
        return LEFT + step * moment;
    }

    private int y(long bytes) {
        return TOP + HEIGHT - (int) (bytes * (double) HEIGHT / arenaBytes);
    }
}
