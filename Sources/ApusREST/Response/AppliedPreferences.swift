import ApusPlanner

/// The `Preference-Applied` field (RFC 7240 §3): only what had a meaning for this request.
enum AppliedPreferences {
    static func text(for plan: Plan) -> String {
        let preferences = plan.intent.preferences
        if preferences == Preferences() { return "" }
        var applied: [String] = []
        if case .insert = plan.intent.action, let resolution = preferences.resolution,
            hasConflictTarget(plan)
        {
            applied.append("resolution=" + resolution.rawValue)
        }
        let isWrite: Bool
        let takesMissing: Bool
        let takesMaxAffected: Bool
        switch plan.intent.action {
        case .read: (isWrite, takesMissing, takesMaxAffected) = (false, false, false)
        case .insert: (isWrite, takesMissing, takesMaxAffected) = (true, true, false)
        case .update: (isWrite, takesMissing, takesMaxAffected) = (true, true, true)
        case .delete: (isWrite, takesMissing, takesMaxAffected) = (true, false, true)
        case .upsertOne: (isWrite, takesMissing, takesMaxAffected) = (true, false, false)
        case .call: (isWrite, takesMissing, takesMaxAffected) = (false, false, true)
        }
        if takesMissing, let missing = preferences.missing { applied.append("missing=" + missing.rawValue) }
        if isWrite, let representation = preferences.representation {
            applied.append("return=" + representation.rawValue)
        }
        if let count = preferences.count { applied.append("count=" + count.rawValue) }
        if let transaction = preferences.transaction { applied.append("tx=" + transaction.rawValue) }
        if let handling = preferences.handling { applied.append("handling=" + handling.rawValue) }
        if let timezone = preferences.timezone { applied.append("timezone=" + timezone) }
        if takesMaxAffected, preferences.handling == .strict, let most = preferences.maxAffected {
            applied.append("max-affected=\(most)")
        }
        return applied.joined(separator: ", ")
    }

    private static func hasConflictTarget(_ plan: Plan) -> Bool {
        if plan.intent.onConflict != nil { return true }
        guard case .write(let write, _) = plan.work, case .insert(_, _, let key) = write.change else {
            return false
        }
        return !key.isEmpty
    }
}
