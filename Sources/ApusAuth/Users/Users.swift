import ApusPostgres
package import ApusSQL

/// Finding users, in or out of a transaction.
package enum Users {
    /// By id.
    package static func byID(_ id: String) -> SQL {
        "select \(AuthUser.columns) from auth.users u where u.id = \(bind: id)::uuid and u.deleted_at is null"
    }

    /// By address, as ``EmailAddress`` writes it.
    package static func byEmail(_ email: String) -> SQL {
        """
        select \(AuthUser.columns) from auth.users u
        where u.email = \(bind: email) and not u.is_sso_user and u.deleted_at is null
        """
    }

    /// By number, digits only.
    package static func byPhone(_ phone: String) -> SQL {
        """
        select \(AuthUser.columns) from auth.users u
        where u.phone = \(bind: phone) and not u.is_sso_user and u.deleted_at is null
        """
    }
}
