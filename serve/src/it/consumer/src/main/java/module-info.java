module example {
    requires io.cyclane.model;
}
