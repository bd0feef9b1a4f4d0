/** Training and evaluation. */
module io.cyclane.train {
    requires transitive io.cyclane.model;
    requires static org.jspecify;
}
