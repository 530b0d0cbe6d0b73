import ApusDataAPI
package import ApusFaults
import ApusJSON
import ApusPlanner
package import ApusREST
import ApusSQL

/// Takes a request all the way to its statement, without a database, and says what must never be.
package struct RequestJudge: Sendable {
    /// What became of a request.
    package enum Verdict: Sendable {
        case refused(Fault)
        /// No statement: OPTIONS, a document.
        case described
        case statement(sql: String, key: [UInt8]?, skeleton: StatementSkeleton)
    }

    private let reader = RequestReader(
        settings: RESTSettings(schemas: ["test"], allowsTransactionOverride: true))
    private let planner = Planner(
        settings: PlannerSettings(
            schemas: ["test"], maxRows: 1_000, aggregatesEnabled: true, planEnabled: true))
    private let renderer = Renderer()

    package init() {}

    /// - Throws: a ``StatementSkeleton/Breach`` for what must never be.
    package func judge(_ request: RESTRequest) throws(StatementSkeleton.Breach) -> Verdict {
        _ = canonicalQuery(of: request.query)
        var shape = RequestShape()
        let isKnown = reader.shape(of: request, into: &shape)
        let main: StatementTemplate
        do throws(Fault) {
            guard case .data(let intent) = try reader.ask(of: request, shape: shape) else {
                return .described
            }
            main = renderer.render(try plan(intent)).main
            let values = RequestValues(arena: shape.values.arena, ranges: shape.values.ranges)
            _ = try main.bind(values: values, body: shape.body)
        } catch {
            try check(error)
            return .refused(error)
        }
        return try judge(main, key: isKnown ? shape.key : nil)
    }

    // MARK: - Non public

    private func plan(_ intent: Intent) throws(Fault) -> Plan {
        do {
            return try planner.plan(intent, in: SpecimenCatalog.value)
        } catch {
            throw error.fault
        }
    }

    private func judge(
        _ main: StatementTemplate, key: [UInt8]?
    ) throws(StatementSkeleton.Breach) -> Verdict {
        let skeleton = try StatementSkeleton(main.text.sql)
        guard skeleton.parameters == main.sources.count else {
            throw StatementSkeleton.Breach(
                description:
                    "\(main.sources.count) values for \(skeleton.parameters) places: \(main.text.sql)")
        }
        return .statement(sql: main.text.sql, key: key, skeleton: skeleton)
    }

    /// A refusal is the client's fault, and its answer is JSON.
    private func check(_ fault: Fault) throws(StatementSkeleton.Breach) {
        let response = FaultResponse.make(fault)
        guard response.status < 500 else {
            throw .init(description: "\(response.status) \(fault.code): \(fault.message)")
        }
        guard case .bytes(let body) = response.body, (try? JSONReader.read(body))?.object != nil else {
            throw .init(description: "the answer is no JSON: \(fault)")
        }
        for field in response.fields where field.value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw .init(description: "a field with control characters: \(field)")
        }
    }
}
