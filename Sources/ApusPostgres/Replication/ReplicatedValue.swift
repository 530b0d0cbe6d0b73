/// One value of a row as logical replication brings it.
package enum ReplicatedValue: Sendable, Hashable {
    case null
    /// A large value that the update did not touch; PostgreSQL does not send it ("TOAST").
    case unchangedToast
    /// The type's text form, as a query would give it in text format. Values of one row share their bytes.
    case text(ArraySlice<UInt8>)
}
