/// A catalog behind one reference: what is passed from stage to stage of a request costs one count, however many
/// tables it knows.
package final class CatalogSnapshot: Sendable {
    package let catalog: Catalog

    package init(_ catalog: Catalog) { self.catalog = catalog }

    package var version: UInt64 { catalog.version }
}
