package import ApusCatalog

/// What is to be done, with every name looked up: the planner's answer to an intent.
///
/// Like the intent it holds no value of a request, so it can be used again for every request of its shape, as
/// long as the catalog is the same.
package final class Plan: Sendable {
    package enum Work: Sendable {
        case read(ReadPlan)
        /// Writes, then reads what was written.
        case write(WritePlan, ReadPlan)
        /// Calls, then reads what came back.
        case call(CallPlan, ReadPlan)
    }

    package let intent: Intent
    package let work: Work
    package let handler: ResolvedHandler
    /// `Prefer: count`, when it applies.
    package let count: Preferences.Count?
    /// `db-max-rows`, when it applies to the top level; needed again for `count=estimated`.
    package let maxRows: Int?
    /// The top level's range with `db-max-rows` applied.
    package let range: RowRange

    package init(
        intent: Intent, work: Work, handler: ResolvedHandler, count: Preferences.Count?, maxRows: Int?,
        range: RowRange
    ) {
        self.intent = intent
        self.work = work
        self.handler = handler
        self.count = count
        self.maxRows = maxRows
        self.range = range
    }

    /// Whether the transaction may be read-only: always for reads, for calls by the promise of the method or of
    /// the function.
    package var isReadOnly: Bool {
        switch work {
        case .read: true
        case .write: false
        case .call(let call, _):
            intent.action == .call(isReadOnly: true) || call.function.volatility != .volatile
        }
    }
}

/// How the rows become a body.
package struct ResolvedHandler: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// A JSON array, or the value of a scalar function.
        case json
        /// `application/vnd.pgrst.object`
        case singleJSON(stripsNulls: Bool)
        case arrayWithoutNulls
        case geoJSON
        case csv
        /// An aggregate or function of the user's.
        case custom(QualifiedName, Catalog.HandlerInput)
        /// No body is made.
        case none
    }

    package var kind: Kind
    /// The content type of the answer.
    package var mediaType: MediaType

    package init(kind: Kind, mediaType: MediaType) {
        self.kind = kind
        self.mediaType = mediaType
    }
}
