import ApusCatalog
package import ApusPlanner
import ApusSQL

/// Turns plans into statements: each plan into one text, whatever the values of a request are.
package struct Renderer: Sendable {
    private let settings: RenderSettings
    private let texts: StatementTexts

    /// Plans rendered by one renderer (or by several with the same `texts`) share equal texts.
    package init(settings: RenderSettings = RenderSettings(), texts: StatementTexts = StatementTexts()) {
        self.settings = settings
        self.texts = texts
    }

    package func render(_ plan: Plan) -> RenderedPlan {
        var statement = main(plan)
        if case .plan(_, let format, let options) = plan.handler.mediaType {
            statement = statement.explained(format, options)
        }
        var rendered = RenderedPlan(
            main: statement.builder.template(statement.sql, texts: texts), layout: statement.layout,
            responseSettings: statement.tellsSettingsApart ? responseSettings : nil,
            explainCount: explainCount(plan))
        rendered.rowForm = rowForm(of: plan, rendered)
        return rendered
    }

    /// The rows of a read for several requests of its shape at once; nil where that cannot be.
    func gathered(_ plan: Plan) -> StatementTemplate? {
        guard case .read(let read) = plan.work,
            let statement = MainStatement.gatheredRows(read, settings)
        else { return nil }
        return statement.builder.template(statement.sql, texts: texts)
    }

    /// The statement that asks for the plan of ``RenderedPlan/main``, as JSON; not to be kept prepared, since it is
    /// planned anew each time anyway.
    func explanation(of plan: Plan) -> StatementTemplate {
        let explained = main(plan).explained(.json, [])
        let template = explained.builder.template(explained.sql, texts: texts)
        return StatementTemplate(
            text: StatementText(template.text.sql, isPrepared: false), sources: template.sources)
    }

    // MARK: - Non public

    private func main(_ plan: Plan) -> MainStatement {
        switch plan.work {
        case .read(let read): .read(read, plan, settings)
        case .write(let write, let read): .write(write, then: read, plan, settings)
        case .call(let call, let read): .call(call, then: read, plan, settings)
        }
    }

    /// Only where the rows are the whole answer: without counts beyond them and without settings of the response.
    private func rowForm(of plan: Plan, _ rendered: RenderedPlan) -> RowForm? {
        guard case .read(let read) = plan.work, !plan.isExecutionPlan, !settings.readsSettingsAfterReads,
            rendered.explainCount == nil, let shape = RowForm.Shape(plan.handler.kind)
        else { return nil }
        if case .column = rendered.layout.total { return nil }
        let statement = MainStatement.rows(read, settings)
        return RowForm(
            statement.builder.template(statement.sql, texts: texts), shape: shape, texts: texts)
    }

    private var responseSettings: StatementTemplate {
        let columns = ResponseSettings.columns.joined(separator: ", ")
        return StatementTemplate(text: texts.text(("SELECT \(columns)" as SQL).text), sources: [])
    }

    /// The estimate is PostgreSQL's own; asking for it costs a plan, not an execution.
    private func explainCount(_ plan: Plan) -> StatementTemplate? {
        guard case .read(let read) = plan.work, plan.count == .planned || plan.count == .estimated,
            !plan.isExecutionPlan
        else { return nil }
        var builder = StatementBuilder(settings: settings)
        let query = builder.countQuery(read)
        return builder.template("EXPLAIN (FORMAT JSON) \(query)", texts: texts)
    }
}

extension Plan {
    /// Whether the client asked how the work would be done, not for the work.
    fileprivate var isExecutionPlan: Bool {
        if case .plan = handler.mediaType { true } else { false }
    }
}

/// What code in the database says about the response.
enum ResponseSettings {
    /// `response.headers` and `response.status`, null when they are not set (or were, in another transaction
    /// of the connection, which leaves them empty).
    static let columns: [SQL] = [
        "nullif(current_setting('response.headers', true), '')",
        "nullif(current_setting('response.status', true), '')",
    ]
}
