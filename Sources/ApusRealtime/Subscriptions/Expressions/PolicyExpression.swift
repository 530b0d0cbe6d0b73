/// A policy's expression, as far as its form tells what it does. What has no column in it stays text, for PostgreSQL to
/// compute once for a caller.
indirect enum PolicyExpression: Equatable {
    /// A column of the table.
    case column(String)
    /// Text without a column of the table.
    case constant(String)
    /// A query in parentheses that gives one value; without a column of the table.
    case cast(PolicyExpression, to: String)
    case not(PolicyExpression)
    case and([PolicyExpression])
    case or([PolicyExpression])
    case compare(PolicyExpression, String, PolicyExpression)
    /// `left = any (right)`, `left <> all (right)`, `in (select …)` with ``query(_:)`` at the right.
    case quantified(PolicyExpression, String, Quantifier, PolicyExpression)
    case isNull(PolicyExpression, isNegated: Bool)
    /// `is true`, `is not false`, `is unknown`…
    case truthTest(PolicyExpression, String, isNegated: Bool)
    case isDistinct(PolicyExpression, PolicyExpression, isNegated: Bool)
    /// `exists (select … )`, the text of the query.
    case exists(String)
    /// A query that gives rows; its text.
    case query(String)
    /// Anything else with a column in it.
    case opaque

    enum Quantifier { case any, all }
}
