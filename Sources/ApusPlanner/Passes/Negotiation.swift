import ApusCatalog

/// Chooses the form of the answer (RFC 9110 §12.5.1).
///
/// A relation, or a function by its own name, may have handlers of the database for some media types or for
/// any; they count only when whole rows are selected, since that is what they take. Then come the handlers for
/// any relation, and then what every relation can be shown as.
struct Negotiation {
    private let intent: Intent
    private let handlers: [Catalog.MediaHandler]
    private let root: QualifiedName
    private let plansAreShown: Bool

    init(_ context: PlanningContext) {
        intent = context.intent
        handlers = context.catalog.mediaHandlers
        root = context.root
        plansAreShown = context.settings.planEnabled
    }

    /// The handler for the first media type of `Accept` that there is one for.
    func handler(for read: ReadPlan) throws(PlanFault) -> ResolvedHandler {
        let selectsWholeRows = read.selectsWholeRows
        for accepted in intent.accept {
            guard var handler = handler(for: accepted, selectsWholeRows) else { continue }
            if !makesBody { handler.kind = .none }
            return handler
        }
        throw .noAcceptableMediaType(intent.accept)
    }

    // MARK: - Non public

    private var makesBody: Bool {
        switch intent.action {
        case .read, .call: intent.wantsBody
        case .insert, .upsertOne, .update, .delete: intent.preferences.representation == .full
        }
    }

    private func handler(for accepted: MediaType, _ selectsWholeRows: Bool) -> ResolvedHandler? {
        switch accepted {
        case .singleObject(let stripsNulls):
            ResolvedHandler(kind: .singleJSON(stripsNulls: stripsNulls), mediaType: accepted)
        case .arrayWithoutNulls:
            ResolvedHandler(kind: .arrayWithoutNulls, mediaType: accepted)
        case .plan(let explained, _, _):
            plansAreShown
                ? handler(for: explained, selectsWholeRows)
                    .map { ResolvedHandler(kind: $0.kind, mediaType: accepted) }
                : nil
        default:
            custom(accepted, selectsWholeRows) ?? builtIn(accepted)
        }
    }

    private func custom(_ accepted: MediaType, _ selectsWholeRows: Bool) -> ResolvedHandler? {
        func find(_ input: Catalog.HandlerInput, _ mediaType: MediaType) -> Catalog.MediaHandler? {
            handlers.first { handler in
                handler.input == input
                    && (mediaType == .any
                        ? handler.handlesAny : !handler.handlesAny && handler.mediaType == mediaType)
            }
        }
        let own =
            selectsWholeRows
            ? find(.relation(root), .any) ?? find(.relation(root), accepted) : nil
        return (own ?? find(.anyElement, accepted)).map { found in
            ResolvedHandler(kind: .custom(found.function, found.input), mediaType: found.mediaType)
        }
    }

    private func builtIn(_ accepted: MediaType) -> ResolvedHandler? {
        switch accepted {
        case .any, .json: ResolvedHandler(kind: .json, mediaType: .json)
        case .csv: ResolvedHandler(kind: .csv, mediaType: .csv)
        case .geoJSON: ResolvedHandler(kind: .geoJSON, mediaType: .geoJSON)
        default: nil
        }
    }
}

extension ReadPlan {
    /// `select=*` and nothing else.
    fileprivate var selectsWholeRows: Bool {
        children.isEmpty && select.count == 1 && select[0].field.name == "*"
            && select[0].aggregate == nil
    }
}
