import ApusCatalog
import ApusPlanner
import ApusSQL

/// Writes one statement. Its extensions, a file each, know how to write the parts: fields, conditions, levels
/// of a read, changes, calls, bodies.
///
/// A value is written as a slot, and its source noted here; so the text depends on the plan alone.
struct StatementBuilder {
    let settings: RenderSettings
    /// How embedded values are made; grouping needs `jsonb`, which has an equality.
    var embedFormat: RenderSettings.EmbedFormat
    /// Set where values are of several requests, and so not slots.
    var gathered: GatheredValues?
    /// Sources of values by slot.
    private var sources: [BindSource] = []

    init(settings: RenderSettings) {
        self.settings = settings
        embedFormat = settings.embedFormat
    }

    /// A parameter whose value comes from `source`.
    mutating func value(_ source: BindSource) -> SQL {
        sources.append(source)
        if let column = gathered?.next() { return column }
        return .slot(sources.count - 1)
    }

    /// A parameter whose value is one of the request's.
    mutating func value(_ operand: Operand, _ encoding: BindSource.Encoding = .plain) -> SQL {
        value(.operand(operand, encoding))
    }

    /// The finished statement; equal texts share their identity through `texts`.
    func template(_ sql: SQL, texts: StatementTexts) -> StatementTemplate {
        StatementTemplate(
            text: texts.text(sql.text),
            sources: sql.parameters.map { parameter in
                switch parameter {
                case .value(let value): .constant(value)
                case .slot(let index): sources[index]
                }
            })
    }
}

/// Names that statements use inside.
enum Names {
    /// The rows that a change or a call made.
    static let source: SQL = "pgrst_source"
    /// The rows that become the body.
    static let rows: SQL = "_postgrest_t"
    /// The rows of a JSON body.
    static let body = QualifiedName("", "pgrst_body")
    /// The result of a called function, and its only column when it returns a scalar.
    static let call = QualifiedName("", "pgrst_call")
    static let scalar: SQL = "pgrst_scalar"
}

extension SQL {
    /// A relation or function by its name; an empty schema stands for an alias.
    static func name(_ name: QualifiedName) -> SQL { .ident(name.schema, name.name) }

    /// A column of a relation or alias; `*` stands for all.
    static func column(_ column: String, of table: QualifiedName) -> SQL {
        column == "*" ? "\(name(table)).*" : "\(name(table)).\(ident: column)"
    }

    /// A type as the catalog or a checked cast names it. Anything but a plain name is quoted, and so is no
    /// type: casts come from clients, and this is what stands between them and the text.
    static func type(named name: String) -> SQL {
        let isPlain = name.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || scalar == "_" || scalar == " "
                || ("0"..."9").contains(scalar)
        }
        return isPlain ? SQL(trusted: name) : .ident(name)
    }
}
