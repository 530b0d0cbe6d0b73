import ApusCatalog
package import ApusDataAPI
package import ApusFaults
package import ApusPlanner

/// Turns an answer into the dialect's response: status, ranges, locations, applied preferences.
package struct AnswerResponse: Sendable {
    private let answer: Answer
    private let canonicalQuery: String

    /// - Parameter canonicalQuery: the query string, sorted, for `Content-Location`.
    package init(_ answer: Answer, canonicalQuery: String) {
        self.answer = answer
        self.canonicalQuery = canonicalQuery
    }

    private var intent: Intent { _read { yield answer.plan.intent } }

    /// - Throws: a fault when the database's code set a status or header that is none.
    package func make() throws(Fault) -> RESTResponse {
        var response = try base()
        if let headers = answer.responseHeaders {
            let given = try ResponseSettings.fields(from: headers)
            response.fields.removeAll { field in given.contains { sameFieldName($0.name, field.name) } }
            response.fields += given
        }
        if let status = answer.responseStatus {
            response.status = try ResponseSettings.status(from: status)
        }
        if !response.hasField("Vary") {
            response.fields.append(.init("Vary", "Accept, Prefer, Range"))
        }
        return response
    }

    // MARK: - By action

    private func base() throws(Fault) -> RESTResponse {
        if answer.isExecutionPlan {
            return RESTResponse(status: 200, fields: contentFields, body: answer.body)
        }
        switch intent.action {
        case .read: return try read()
        case .insert: return insert()
        case .update: return update()
        case .upsertOne: return upsertOne()
        case .delete: return delete()
        case .call: return try call()
        }
    }

    private func read() throws(Fault) -> RESTResponse {
        let (status, range) = try statusAndRange()
        var fields: [HeaderField] = []
        fields.reserveCapacity(8)
        fields.append(.init("Content-Range", range))
        fields.append(.init("Content-Location", location))
        appendContentFields(to: &fields)
        appendApplied(to: &fields)
        return RESTResponse(
            status: status, fields: fields, body: intent.wantsBody ? answer.body : .none,
            hasBody: intent.wantsBody)
    }

    private var location: String {
        let name = intent.target.name
        var location = ""
        location.reserveCapacity(name.utf8.count + canonicalQuery.utf8.count + 2)
        location += "/"
        location += name
        if !canonicalQuery.isEmpty {
            location += "?"
            location += canonicalQuery
        }
        return location
    }

    private func insert() -> RESTResponse {
        var fields: [HeaderField] = []
        if !answer.location.isEmpty {
            let query = answer.location.map { percentEncoded($0.name) + "=" + percentEncoded($0.value) }
            fields.append(.init("Location", "/" + intent.target.name + "?" + query.joined(separator: "&")))
        }
        let count = intent.preferences.count == .exact ? answer.pageCount : nil
        fields.append(.init("Content-Range", contentRange(lower: 1, upper: 0, total: count)))
        appendApplied(to: &fields)
        let isUpdateOnly = answer.insertedCount.map { $0 <= 0 } ?? false
        let merges = intent.preferences.resolution == .mergeDuplicates
        let status = isUpdateOnly && merges ? 200 : 201
        if intent.preferences.representation == .full {
            return RESTResponse(status: status, fields: fields + contentFields, body: answer.body)
        }
        return RESTResponse(status: status, fields: fields)
    }

    private func update() -> RESTResponse {
        let count = intent.preferences.count == .exact ? answer.pageCount : nil
        let range = contentRange(lower: 0, upper: answer.pageCount - 1, total: count)
        return written([.init("Content-Range", range)], fullStatus: 200)
    }

    private func delete() -> RESTResponse {
        let count = intent.preferences.count == .exact ? answer.pageCount : nil
        return written(
            [.init("Content-Range", contentRange(lower: 1, upper: 0, total: count))], fullStatus: 200)
    }

    private func upsertOne() -> RESTResponse {
        written([], fullStatus: (answer.insertedCount ?? 0) > 0 ? 201 : 200)
    }

    private func written(_ start: [HeaderField], fullStatus: Int) -> RESTResponse {
        var fields = start
        appendApplied(to: &fields)
        if intent.preferences.representation == .full {
            return RESTResponse(status: fullStatus, fields: fields + contentFields, body: answer.body)
        }
        return RESTResponse(status: 204, fields: fields, hasBody: false)
    }

    private func call() throws(Fault) -> RESTResponse {
        let (status, range) = try statusAndRange()
        var fields = [HeaderField("Content-Range", range)]
        appendApplied(to: &fields)
        if case .call(let call, _) = answer.plan.work, call.function.returnsVoid {
            return RESTResponse(status: 204, fields: fields, hasBody: false)
        }
        return RESTResponse(
            status: status, fields: fields + contentFields, body: intent.wantsBody ? answer.body : .none,
            hasBody: intent.wantsBody)
    }

    // MARK: - Parts

    /// - Throws: PGRST103 when the range starts behind the last row.
    private func statusAndRange() throws(Fault) -> (Int, String) {
        let lower = intent.range.offset
        let upper = lower + answer.pageCount - 1
        let range = contentRange(lower: lower, upper: upper, total: answer.totalCount)
        guard let total = answer.totalCount else { return (200, range) }
        if lower > total {
            throw Fault(
                code: "PGRST103", kind: .rangeNotSatisfiable, message: "Requested range not satisfiable",
                details: "An offset of \(lower) was requested, but there are only \(total) rows.",
                fields: [.init(name: "Content-Range", value: range)])
        }
        return (answer.pageCount < total ? 206 : 200, range)
    }

    private func contentRange(lower: Int, upper: Int, total: Int?) -> String {
        // One row without a count is the commonest answer.
        if lower == 0, upper == 0, total == nil { return "0-0/*" }
        let rows = total != 0 && lower <= upper ? "\(lower)-\(upper)" : "*"
        return rows + "/" + (total.map(String.init) ?? "*")
    }

    private var contentFields: [HeaderField] {
        var fields: [HeaderField] = []
        appendContentFields(to: &fields)
        return fields
    }

    private func appendContentFields(to fields: inout [HeaderField]) {
        fields.append(.init("Content-Type", answer.plan.handler.mediaType.contentType))
        if intent.schemaWasNegotiated { fields.append(.init("Content-Profile", intent.target.schema)) }
    }

    private func appendApplied(to fields: inout [HeaderField]) {
        let applied = AppliedPreferences.text(for: answer.plan)
        if !applied.isEmpty { fields.append(.init("Preference-Applied", applied)) }
    }
}
