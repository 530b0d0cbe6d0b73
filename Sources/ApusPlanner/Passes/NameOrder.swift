extension Sequence<String> {
    /// In the order of the UTF-8 bytes, which is that of code points: the dialect lists names so, and
    /// `String`'s own order is one of characters.
    func sortedByBytes() -> [String] {
        sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
