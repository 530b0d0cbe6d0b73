package import ApusCatalog
package import ApusPlanner

/// How requests for data are planned and run, by the names of the configuration.
package struct DataAPISettings: Sendable {
    /// `db-tx-end`
    package enum TransactionEnd: String, Sendable {
        case commit
        case commitAllowOverride = "commit-allow-override"
        case rollback
        case rollbackAllowOverride = "rollback-allow-override"

        var rollsBack: Bool { self == .rollback || self == .rollbackAllowOverride }
    }

    package var planner: PlannerSettings
    package var render: RenderSettings
    /// `db-extra-search-path`
    package var extraSearchPath: [String]
    /// `db-pre-request`, with its schema where one was given.
    package var preRequest: QualifiedName?
    package var transactionEnd: TransactionEnd
    /// `app.settings.*`
    package var appSettings: [Function.Setting]
    /// `db-request-settings = all`: send `request.*` whether or not anything reads them.
    package var sendsAllRequestSettings: Bool
    /// `db-timezone-enabled`
    package var allowsTimezone: Bool
    /// `db-max-cost`
    package var costLimits: CostLimits
    /// `db-gather-reads`: whether reads of one shape by one caller that come together become one statement.
    package var gathersReads: Bool
    /// `db-share-inserts`: whether inserts by one caller that come together, and cannot wait for each other, commit together.
    package var sharesInserts: Bool
    /// Compiled requests that are kept.
    package var cacheLimit: Int

    package init(
        planner: PlannerSettings, render: RenderSettings = RenderSettings(), extraSearchPath: [String] = [],
        preRequest: QualifiedName? = nil, transactionEnd: TransactionEnd = .commit,
        appSettings: [Function.Setting] = [], sendsAllRequestSettings: Bool = false,
        allowsTimezone: Bool = true, costLimits: CostLimits = CostLimits(), gathersReads: Bool = true,
        sharesInserts: Bool = true, cacheLimit: Int = 10_000
    ) {
        self.planner = planner
        self.render = render
        self.extraSearchPath = extraSearchPath
        self.preRequest = preRequest
        self.transactionEnd = transactionEnd
        self.appSettings = appSettings
        self.sendsAllRequestSettings = sendsAllRequestSettings
        self.allowsTimezone = allowsTimezone
        self.costLimits = costLimits
        self.gathersReads = gathersReads
        self.sharesInserts = sharesInserts
        self.cacheLimit = cacheLimit
    }
}
