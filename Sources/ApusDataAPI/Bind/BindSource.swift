package import ApusPlanner
package import ApusSQL

/// Where the value of one parameter of a statement comes from.
package enum BindSource: Sendable, Equatable {
    /// Part of the plan.
    case constant(SQLValue)
    /// A value of the request, in text format, its type left for PostgreSQL to infer.
    case operand(Operand, Encoding)
    /// Several values of the request as one PostgreSQL array (a variadic parameter).
    case array([Operand])
    /// The request's body.
    case body(BodyEncoding)

    /// How a value of the request becomes the text of a parameter.
    package enum Encoding: Sendable, Equatable {
        case plain
        /// A pattern for `like`: `*` stands for `%`.
        case pattern
        /// `(a,"b,c")` becomes the array literal `{"a","b,c"}`.
        case list
    }

    /// How the body becomes a parameter.
    package enum BodyEncoding: Sendable, Equatable {
        /// Rows as `json`: an object is made an array of one.
        case jsonRows
        /// Rows as `jsonb`: an object is made an array of one.
        case jsonbRows
        /// The bytes as they are, in the binary format of a type that takes them so (`json`, `text`, `bytea`).
        case raw(oid: UInt32)
        /// The bytes as text of a type that PostgreSQL infers.
        case text
    }
}
