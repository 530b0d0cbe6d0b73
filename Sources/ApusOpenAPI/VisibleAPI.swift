package import ApusCatalog

/// What a document describes: the part of a catalog that its reader may use.
package struct VisibleAPI: Sendable {
    package var schema: String
    /// Comment of the schema: its first line is the title, the rest the description.
    package var comment: String?
    /// Sorted by name.
    package var relations: [Relation]
    /// Sorted by name; overloads in the catalog's order.
    package var functions: [Function]
    /// Relationships by source, for notes about foreign keys.
    package var relationships: [QualifiedName: [Relationship]]

    package init(
        schema: String, comment: String?, relations: [Relation], functions: [Function],
        relationships: [QualifiedName: [Relationship]]
    ) {
        self.schema = schema
        self.comment = comment
        self.relations = relations.sorted { $0.name < $1.name }
        self.functions = functions.sorted { $0.name < $1.name }
        self.relationships = relationships
    }

    /// A type's name as the dialect shows it: without the schema that the document is about.
    func shown(_ type: String) -> String {
        type.hasPrefix(schema + ".") ? String(type.dropFirst(schema.count + 1)) : type
    }

    var title: String? { Self.headline(comment).title }
    var description: String? { Self.headline(comment).rest }

    /// The first line, and what follows after blank lines.
    static func headline(_ comment: String?) -> (title: String?, rest: String?) {
        guard let comment else { return (nil, nil) }
        guard let end = comment.firstIndex(of: "\n") else { return (comment, nil) }
        let rest = comment[end...].drop { $0 == "\n" }
        return (String(comment[..<end]), rest.isEmpty ? nil : String(rest))
    }

    /// Where a column leads as a foreign key of its own: table and column.
    func reference(of column: String, in relation: Relation) -> (table: String, column: String)? {
        let candidates = (relationships[relation.name] ?? []).filter { $0.target.schema == schema }
        let tablesFirst = candidates.filter { !$0.targetIsView } + candidates.filter(\.targetIsView)
        for relationship in tablesFirst {
            switch relationship.cardinality {
            case .manyToOne(_, let pairs), .oneToOne(_, let pairs, isParent: false):
                if pairs.count == 1, pairs[0].source == column {
                    return (relationship.target.name, pairs[0].target)
                }
            default: continue
            }
        }
        return nil
    }

    /// The comment of a column with notes about its keys.
    func note(for column: Column, in relation: Relation) -> String? {
        var notes: [String] = []
        if relation.primaryKey.contains(column.name) { notes.append("This is a Primary Key.<pk/>") }
        if let (table, name) = reference(of: column.name, in: relation) {
            notes.append(
                "This is a Foreign Key to `\(table).\(name)`.<fk table='\(table)' column='\(name)'/>")
        }
        guard !notes.isEmpty else { return column.comment }
        let start = column.comment.map { $0 + "\n\n" } ?? ""
        return start + (["Note:"] + notes).joined(separator: "\n")
    }
}
