import ApusCatalog
package import ApusFaults
package import ApusPlanner

/// Reads requests of the PostgREST dialect: bytes to ``Intent``. Pure; it looks nothing up.
///
/// Reading has two steps, so that what is planned can be kept and used again:
///
/// 1. ``shape(of:into:)``, one fast pass, parts the request into its shape and its values;
/// 2. ``ask(of:shape:)`` reads the shape by the grammar, and can be skipped when ``RequestShape/key`` is known.
package struct RequestReader: Sendable {
    private let settings: RESTSettings

    package init(settings: RESTSettings) {
        self.settings = settings
    }

    /// Both steps.
    package func read(_ request: RESTRequest) throws(Fault) -> ReadRequest {
        var shape = RequestShape()
        self.shape(of: request, into: &shape)
        return ReadRequest(ask: try ask(of: request, shape: shape), shape: shape)
    }

    /// Parts a request into shape and values. It never fails: what is wrong, ``ask(of:shape:)`` tells.
    ///
    /// The key holds all that an intent depends on: method, path, schema field, `Prefer`, `Accept`,
    /// `Content-Type`, `Range`, the parameters but for the values of filters and arguments, and the payload's
    /// keys.
    ///
    /// - Parameter shape: filled anew; what it held is gone, its memory is used again.
    /// - Returns: whether the key may be looked up (``RequestShape/isComplete``).
    @discardableResult
    package func shape(of request: RESTRequest, into shape: inout RequestShape) -> Bool {
        shape.removeAll()
        shape.keyWriter.append(request.method)
        shape.keyWriter.append(request.path)
        shape.keyWriter.append(request.profile)
        shape.keyWriter.append(request.fields.prefer)
        shape.keyWriter.append(request.fields.accept)
        shape.keyWriter.append(request.fields.contentType)
        shape.keyWriter.append(request.rangeField)
        guard let route = try? Route(path: request.path, settings: settings),
            let purpose = try? route.purpose(of: request.method)
        else {
            shape.isComplete = false
            return false
        }
        let takesArguments = route.takesArguments(by: request.method)
        shape.readQuery(request.query, isCall: takesArguments, limits: settings.limits)
        if case .act(let action, _) = purpose {
            switch action {
            case .insert, .update, .upsertOne:
                shape.readBody(
                    of: request, isCall: false, usesColumns: action != .upsertOne, limits: settings.limits)
            case .call(isReadOnly: false):
                shape.readBody(of: request, isCall: true, usesColumns: true, limits: settings.limits)
            case .read, .delete, .call: break
            }
        }
        if shape.key.count > RequestShape.longestKey { shape.isComplete = false }
        return shape.isComplete
    }

    /// Reads what a request asks.
    ///
    /// - Parameter shape: of this request.
    /// - Throws: a fault of the dialect: `PGRST100` to `PGRST103`, `106`, `114`, `117`, `125`, `126`; or `APUS440`
    ///   to `APUS443` when the request is beyond a limit.
    package func ask(of request: RESTRequest, shape: RequestShape) throws(Fault) -> ReadRequest.Ask {
        do throws(RequestFault) {
            return try readAsk(of: request, shape: shape)
        } catch {
            throw error.fault
        }
    }

    /// How the client wants its transaction to end (`Prefer: tx=`), as far as it may choose.
    package func transactionPreference(of request: RESTRequest) -> Preferences.Transaction? {
        Preferences(reading: request.fields.prefer, allowsTransaction: settings.allowsTransactionOverride)
            .transaction
    }

    // MARK: - Non public

    private func readAsk(
        of request: RESTRequest, shape: RequestShape
    ) throws(RequestFault) -> ReadRequest.Ask {
        let route = try Route(path: request.path, settings: settings)
        let choice = try SchemaChoice(of: request, settings: settings)
        let purpose = try route.purpose(of: request.method)
        let query = try QueryReader(
            shape: shape, limits: settings.limits, isCall: route.takesArguments(by: request.method)
        ).read()
        let rows = try RowInterval.topLevel(
            query: query.topLevel, field: RowInterval(field: request.rangeField))
        if request.method == "PUT", rows != .all { throw .rangeOfUpsert }
        let payload = try payload(shape)

        let preferences = Preferences(
            reading: request.fields.prefer, allowsTransaction: settings.allowsTransactionOverride)
        let accept = MediaType.acceptable(request.fields.accept)
        func intent(_ action: Intent.Action, wantsBody: Bool, name: String) -> Intent {
            Intent(
                action: action, target: QualifiedName(choice.schema, name), wantsBody: wantsBody,
                schemaWasNegotiated: choice.wasNegotiated, select: query.select, filters: query.filters,
                logic: query.logic, order: query.order, embeddedRanges: query.embeddedRanges,
                range: rows.rowRange, columns: payload == .uninspectedJSON ? query.columns : nil,
                onConflict: query.onConflict, arguments: query.arguments, payload: payload,
                preferences: preferences, accept: accept,
                contentType: request.fields.contentType.map { MediaType(reading: $0) } ?? .json)
        }
        switch (route, purpose) {
        case (.relation(let name), .act(let action, let wantsBody)),
            (.function(let name), .act(let action, let wantsBody)):
            return .data(intent(action, wantsBody: wantsBody, name: name))
        case (.relation(let name), _): return .describeRelation(QualifiedName(choice.schema, name))
        case (.function(let name), _):
            return .describeFunction(intent(.call(isReadOnly: true), wantsBody: false, name: name))
        case (.root, .document(let wantsBody)), (.openAPI, .document(let wantsBody)):
            return .document(
                .init(
                    format: route == .root ? .swagger : .openAPI, schema: choice.schema,
                    schemaWasNegotiated: choice.wasNegotiated, wantsBody: wantsBody,
                    accept: accept, preferences: preferences))
        case (.root, _), (.openAPI, _): return .describeRoot
        }
    }

    private func payload(_ shape: RequestShape) throws(RequestFault) -> Intent.Payload? {
        switch shape.payload {
        case .none: return nil
        case .json(let keys): return .json(keys: keys.map(shape.text))
        case .uninspectedJSON: return .uninspectedJSON
        case .raw: return .raw
        case .refused(let fault): throw fault
        case .form:
            let fields = shape.parameters.filter { $0.role == .formField }
            return .form(
                fields.compactMap { field in
                    field.slot.map {
                        .init(name: shape.text(field.name), value: .slot(index: $0, dropping: 0))
                    }
                })
        }
    }
}

extension RESTRequest {
    /// `Range`, where it counts (RFC 9110 §14.2).
    fileprivate var rangeField: String? { method == "GET" ? fields.range : nil }
}
