import ApusCatalog

/// Builds small catalogs by hand. Everything is in one schema; foreign keys add both directions.
struct CatalogBuilder {
    private let schema: String
    private var relations: [QualifiedName: Relation] = [:]
    private var relationships: [QualifiedName: [Relationship]] = [:]
    private var functions: [QualifiedName: [Function]] = [:]
    private var representations: [Catalog.Conversion: Catalog.Representation] = [:]
    private var handlers: [Catalog.MediaHandler] = []

    init(schema: String = "test") {
        self.schema = schema
    }

    var catalog: Catalog {
        Catalog(
            version: 1, serverVersion: 150000, schemas: [schema: nil], relations: relations,
            functions: functions, relationships: relationships, representations: representations,
            mediaHandlers: handlers)
    }

    /// Columns as `name type`; a name alone is an integer.
    func table(
        _ name: String, _ columns: String..., key: [String] = ["id"], kind: Relation.Kind = .table
    ) -> Self {
        var copy = self
        let named = columns.enumerated().map { _, text -> Column in
            let words = text.split(separator: " ", maxSplits: 1).map(String.init)
            return Column(name: words[0], type: words.count > 1 ? words[1] : "integer")
        }
        let name = QualifiedName(schema, name)
        copy.relations[name] = Relation(
            name: name, oid: UInt32(relations.count + 1), kind: kind, columns: named, primaryKey: key)
        return copy
    }

    /// A column whose type is a domain.
    func domainColumn(
        _ table: String, _ name: String, domain: String, base: String, default expression: String? = nil
    ) -> Self {
        var copy = self
        guard let relation = relations[QualifiedName(schema, table)] else { return copy }
        let column = Column(
            name: name, type: domain, baseType: base, nominalType: domain,
            defaultExpression: expression)
        copy.relations[relation.name] = Relation(
            name: relation.name, oid: relation.oid, kind: relation.kind,
            columns: relation.columns + [column], primaryKey: relation.primaryKey)
        return copy
    }

    /// `columns` pairs a column of the source with one of the target.
    func foreignKey(
        _ constraint: String, from source: String, to target: String,
        on columns: [(String, String)], targetIsView: Bool = false
    ) -> Self {
        let there = columns.map { Relationship.ColumnPair($0.0, $0.1) }
        let back = columns.map { Relationship.ColumnPair($0.1, $0.0) }
        return
            relationship(
                source, target, .manyToOne(constraint: constraint, columns: there),
                targetIsView: targetIsView
            )
            .relationship(target, source, .oneToMany(constraint: constraint, columns: back))
    }

    func junction(
        _ table: String, _ left: String, _ leftConstraint: String, _ leftColumn: String,
        _ right: String, _ rightConstraint: String, _ rightColumn: String
    ) -> Self {
        relationship(
            left, right,
            .manyToMany(
                Relationship.Junction(
                    table: QualifiedName(schema, table), sourceConstraint: leftConstraint,
                    targetConstraint: rightConstraint, sourceColumns: [.init("id", leftColumn)],
                    targetColumns: [.init("id", rightColumn)])))
    }

    func computed(_ function: String, from source: String, to target: String, one: Bool) -> Self {
        relationship(
            source, target, .computed(function: QualifiedName(schema, function), returnsOne: one))
    }

    func relationship(
        _ source: String, _ target: String, _ cardinality: Relationship.Cardinality,
        targetIsView: Bool = false
    ) -> Self {
        var copy = self
        let relationship = Relationship(
            source: QualifiedName(schema, source), target: QualifiedName(schema, target),
            cardinality: cardinality, targetIsView: targetIsView)
        copy.relationships[relationship.source, default: []].append(relationship)
        return copy
    }

    /// A function that returns one integer unless `returns` says otherwise.
    func function(
        _ name: String, _ parameters: Function.Parameter...,
        returns result: Function.Result = .integer, volatility: Function.Volatility = .volatile
    ) -> Self {
        var copy = self
        let name = QualifiedName(schema, name)
        copy.functions[name, default: []].append(
            Function(
                name: name, parameters: parameters, result: result, volatility: volatility,
                hasVariadic: parameters.contains(where: \.isVariadic)))
        return copy
    }

    func representation(from source: String, to target: String, by function: String) -> Self {
        var copy = self
        copy.representations[Catalog.Conversion(source, target)] = Catalog.Representation(
            sourceType: source, targetType: target, function: function)
        return copy
    }

    func handler(
        _ function: String, for relation: String?, _ mediaType: MediaType, any: Bool = false
    ) -> Self {
        var copy = self
        copy.handlers.append(
            Catalog.MediaHandler(
                function: QualifiedName(schema, function),
                input: relation.map { .relation(QualifiedName(schema, $0)) } ?? .anyElement,
                mediaType: mediaType, handlesAny: any))
        return copy
    }
}

extension Function.Result {
    static let integer = Self(
        type: QualifiedName("pg_catalog", "int4"), isSet: false, isComposite: false)

    static func rows(of relation: String) -> Self {
        Self(type: QualifiedName("test", relation), isSet: true, isComposite: true)
    }
}

extension Function.Parameter {
    static func required(_ name: String, _ type: String = "integer") -> Self {
        Self(name: name, type: type)
    }

    static func optional(_ name: String, _ type: String = "integer") -> Self {
        Self(name: name, type: type, isRequired: false)
    }
}
