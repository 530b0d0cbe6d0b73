/// One change that Apus makes to a database for itself, made once per database and recorded by its number.
///
/// A step never changes after a release; a later step mends an earlier one. Each is written so that running it
/// twice does no harm, and so that it keeps what is already there: a database that was Supabase's has these
/// roles and functions, owned by others.
package struct SystemStep: Sendable, Equatable {
    /// What happens when the connected role may not do it.
    package enum LackOfPrivilege: Sendable, Equatable {
        /// The start fails with a coded error.
        case isFault
        /// A notice is reported, the step stays unrecorded, and the next start tries again.
        case isNotice
    }

    package let number: Int
    package let name: String
    /// One or more statements; they run in one transaction together with the record of the step.
    package let sql: String
    package let lackOfPrivilege: LackOfPrivilege
    /// What somebody with the privilege can run instead; shown when it is lacking.
    package let remedy: String
    /// Steps without which this one is not tried: what it builds on.
    package let needs: [Int]

    package init(
        number: Int, name: String, sql: String, lackOfPrivilege: LackOfPrivilege = .isFault, remedy: String,
        needs: [Int] = []
    ) {
        self.number = number
        self.name = name
        self.sql = sql
        self.lackOfPrivilege = lackOfPrivilege
        self.remedy = remedy
        self.needs = needs
    }
}

extension SystemStep {
    /// All steps in order.
    ///
    /// - Parameter catalogEventTrigger: statements that create the event trigger which announces DDL, or nil
    ///   to leave it out.
    package static func all(catalogEventTrigger: String?) -> [SystemStep] {
        var steps = [roles, memberships, ownMemberships, authFunctions, publicGrants, serviceRoleBypass]
        if let catalogEventTrigger { steps.append(Self.catalogEventTrigger(catalogEventTrigger)) }
        steps.append(idempotencyKeys)
        steps += [authRole, authUsers, authProofs, authKeys, authOwnMembership]
        steps.append(messages)
        steps += [authFactors, authImports, authOAuth, authAPIKeys]
        steps.append(feedEpochs)
        steps += [realtimeMessages, realtimeFunctions]
        return steps
    }
}
