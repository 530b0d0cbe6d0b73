package import ApusCatalog

/// Turns what a client asked into what is to be done.
///
/// Pure: the same intent, catalog and settings always give the same plan, which holds no value of a request
/// and can be kept for all requests of its shape. What it costs does not depend on the size of the catalog,
/// but for the suggestions in a fault.
package struct Planner: Sendable {
    private let settings: PlannerSettings

    package init(settings: PlannerSettings) {
        self.settings = settings
    }

    /// The plan for an intent against the database's shape.
    ///
    /// - Throws: what is wrong with the request as far as that can be known without asking the database.
    package func plan(_ intent: Intent, in catalog: Catalog) throws(PlanFault) -> Plan {
        switch intent.action {
        case .read: try planRead(intent, catalog)
        case .insert, .upsertOne, .update, .delete: try planWrite(intent, catalog)
        case .call(let isReadOnly): try planCall(intent, catalog, isReadOnly: isReadOnly)
        }
    }

    /// The relation of this name, for requests about a relation that read nothing (`OPTIONS`).
    package func relation(_ name: QualifiedName, in catalog: Catalog) throws(PlanFault) -> Relation {
        guard let relation = catalog.relations[name] else {
            throw .relationNotFound(name, suggestion: Suggestions(catalog: catalog).relation(for: name))
        }
        return relation
    }

    /// The media type in which a schema is described to a client that accepts these.
    package func negotiateDescription(accept: [MediaType]) throws(PlanFault) -> MediaType {
        guard accept.contains(where: { [.openAPI, .json, .any].contains($0) }) else {
            throw .noAcceptableMediaType(accept)
        }
        return .openAPI
    }

    // MARK: - The three ways

    private func planRead(_ intent: Intent, _ catalog: Catalog) throws(PlanFault) -> Plan {
        let relation = try relation(intent.target, in: catalog)
        let context = context(intent, catalog, root: relation.name)
        let read = try planLevels(context)
        let handler = try Negotiation(context).handler(for: read)
        try checkPreferences(intent.preferences)
        return plan(intent, .read(read), handler)
    }

    private func planWrite(_ intent: Intent, _ catalog: Catalog) throws(PlanFault) -> Plan {
        let relation = try relation(intent.target, in: catalog)
        let context = context(intent, catalog, root: relation.name)
        let read = try planLevels(context)
        let write = try WritePlanning(context, of: relation).plan(thenRead: read)
        try checkPreferences(intent.preferences)
        let handler = try Negotiation(context).handler(for: read)
        return plan(intent, .write(write, read), handler)
    }

    private func planCall(
        _ intent: Intent, _ catalog: Catalog, isReadOnly: Bool
    ) throws(PlanFault) -> Plan {
        let arguments = CallArguments(of: intent, isReadOnly: isReadOnly)
        let function = try FunctionChoice(intent, arguments, in: catalog).function()
        // What a function returns can be embedded into like the relation of that type, in the schema of the
        // function. A scalar function goes by its own name, by which media type handlers find it.
        let rows = function.result.isComposite ? function.result.type.name : function.name.name
        let context = context(intent, catalog, root: QualifiedName(function.name.schema, rows))
        let read = try planLevels(context)
        let call = CallPlan(function: function, arguments: arguments, thenRead: read)
        let handler = try Negotiation(context).handler(for: read)
        try checkPreferences(intent.preferences)
        try checkMaxAffected(intent.preferences, function)
        return plan(intent, .call(call, read), handler)
    }

    private func context(_ intent: Intent, _ catalog: Catalog, root: QualifiedName) -> PlanningContext {
        PlanningContext(intent: intent, catalog: catalog, settings: settings, root: root)
    }

    private func planLevels(_ context: PlanningContext) throws(PlanFault) -> ReadPlan {
        var plan = ReadPlan(source: context.root, name: context.root.name)
        for pass in Self.readPasses { try pass.run(on: &plan, in: context) }
        return plan
    }

    private func plan(_ intent: Intent, _ work: Plan.Work, _ handler: ResolvedHandler) -> Plan {
        let (range, maxRows): (RowRange, Int?) =
            switch work {
            case .read(let read), .call(_, let read): (read.range, settings.maxRows)
            case .write: (.all, nil)
            }
        return Plan(
            intent: intent, work: work, handler: handler, count: intent.preferences.count,
            maxRows: maxRows, range: range)
    }
}
