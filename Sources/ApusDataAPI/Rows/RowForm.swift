import ApusPlanner
import ApusPostgres
import ApusSQL
import Synchronization

/// Another way to carry out a read: PostgreSQL gives plain rows, and the JSON is made here.
///
/// Which types the columns have is known with the first result. Where one becomes JSON in a way that only the database
/// knows, that column is converted there (`to_json`); and where even that does not do, or results are large, the form
/// gives up and PostgreSQL makes the whole body again.
final class RowForm: Sendable {
    /// What the rows become.
    enum Shape: Sendable, Hashable {
        case array
        case object

        /// nil for bodies that are made otherwise.
        init?(_ kind: ResolvedHandler.Kind) {
            switch kind {
            case .json: self = .array
            case .singleJSON(stripsNulls: false): self = .object
            default: return nil
            }
        }
    }

    /// From here on a body is made by the database, whose process may take its time: an event loop may not.
    private static let longestBody = 1 << 18

    private enum State {
        case plain
        case converting(StatementTemplate)
        case refused
    }

    private let shape: Shape
    let plain: StatementTemplate
    private let texts: StatementTexts
    private let state = Mutex(State.plain)
    /// Of the last result.
    private let layout = Mutex<RowsLayout?>(nil)

    init(_ plain: StatementTemplate, shape: Shape, texts: StatementTexts) {
        self.plain = plain
        self.shape = shape
        self.texts = texts
    }

    /// The statement to run; nil when this form has given up.
    var statement: StatementTemplate? {
        state.withLock { state in
            switch state {
            case .plain: plain
            case .converting(let template): template
            case .refused: nil
            }
        }
    }

    /// Whether ``plain`` does.
    var isPlain: Bool { state.withLock { if case .plain = $0 { true } else { false } } }

    /// The body of one of several requests that were asked as one; nil when it has to be asked alone.
    ///
    /// - Parameters:
    ///   - part: its rows.
    ///   - rows: those of all, with a column more than the rows of one.
    func body(of part: Range<Int>, in rows: Rows) -> [UInt8]? {
        if shape == .object, part.count != 1 { return [] }
        guard let layout = layout.withLock({ $0 }), layout.fits(rows, besides: 1) else { return nil }
        let json = RowsJSON(rows, layout, part)
        let body = shape == .object ? json.object() : json.array()
        if let body, body.count > Self.longestBody { refuse() }
        return body
    }

    /// The body; nil when the request has to be run again, by another statement.
    ///
    /// - Parameter statement: what gave the rows.
    func body(of rows: Rows, by statement: StatementTemplate) -> [UInt8]? {
        // Nothing is made of more or fewer rows than one: that is a fault.
        if shape == .object, rows.count != 1 { return [] }
        guard let layout = layout(of: rows) else {
            if statement === plain { convert(rows) } else { refuse() }
            return nil
        }
        let json = RowsJSON(rows, layout)
        guard let body = shape == .object ? json.object() : json.array() else {
            refuse()
            return nil
        }
        if body.count > Self.longestBody { refuse() }
        return body
    }

    private func layout(of rows: Rows) -> RowsLayout? {
        if let known = layout.withLock({ $0 }), known.fits(rows) { return known }
        guard let made = RowsLayout(rows) else { return nil }
        layout.withLock { $0 = made }
        return made
    }

    // MARK: - Non public

    private func refuse() { state.withLock { $0 = .refused } }

    /// Has the database convert the columns whose types are not known here.
    private func convert(_ rows: Rows) {
        let names = rows.columnNames
        let items = names.enumerated().map { column, name -> SQL in
            let value: SQL = "\(Names.rows).\(ident: name)"
            return JSONColumn(type: rows.columnType(column)) == nil
                ? "to_json(\(value)) AS \(ident: name)" : value
        }
        let sql: SQL =
            "SELECT \(items.joined(separator: ", ")) FROM (\(SQL(trusted: plain.text.sql))) AS \(Names.rows)"
        state.withLock { state in
            guard case .plain = state else { return }
            // Two columns of one name cannot be told apart.
            guard Set(names).count == names.count else { return state = .refused }
            state = .converting(StatementTemplate(text: texts.text(sql.text), sources: plain.sources))
        }
    }
}
