extension Phrases {
    static let english = Phrases(
        language: "en", code: "Your code:", orCode: "Or enter this code:",
        ignore: "If you did not ask for this, you can ignore this message.",
        confirmation: .init(
            subject: "Confirm your e-mail address",
            body: "Please confirm that {{Email}} is your address, and your account is ready.",
            button: "Confirm address"),
        invite: .init(
            subject: "You have been invited",
            body: "You have been invited to create an account on {{SiteURL}}.", button: "Accept invitation"),
        magicLink: .init(
            subject: "Your sign-in link", body: "Follow this link to sign in to {{SiteURL}}.",
            button: "Sign in"
        ),
        recovery: .init(
            subject: "Choose a new password",
            body: "Somebody, we hope you, asked for a new password for {{Email}}.",
            button: "Choose a new password"),
        emailChange: .init(
            subject: "Confirm your new e-mail address",
            body: "Please confirm that the address of your account changes from {{Email}} to {{NewEmail}}.",
            button: "Confirm change"),
        reauthentication: .init(
            subject: "Your confirmation code", body: "Enter this code to confirm that it is you."),
        passwordChanged: .init(
            subject: "Your password was changed",
            body: "The password of {{Email}} was changed. If it was not you, choose a new one at "
                + "once.",
            isIgnorable: false),
        emailChanged: .init(
            subject: "Your e-mail address was changed",
            body: "The address of your account was changed from {{Email}} to {{NewEmail}}. If it "
                + "was not you, write to us at once.",
            isIgnorable: false),
        accountExists: .init(
            subject: "You already have an account",
            body: "Somebody tried to create an account with {{Email}}, which has one already. If "
                + "it was you, sign in on {{SiteURL}}, or ask there for a new password."),
        sms: "Your code is {{Token}}")

    static let german = Phrases(
        language: "de", code: "Ihr Code:", orCode: "Oder geben Sie diesen Code ein:",
        ignore: "Wenn Sie das nicht angefordert haben, können Sie diese Nachricht ignorieren.",
        confirmation: .init(
            subject: "Bestätigen Sie Ihre E-Mail-Adresse",
            body: "Bitte bestätigen Sie, dass {{Email}} Ihre Adresse ist; danach ist Ihr Konto bereit.",
            button: "Adresse bestätigen"),
        invite: .init(
            subject: "Sie sind eingeladen",
            body: "Sie sind eingeladen, ein Konto bei {{SiteURL}} anzulegen.", button: "Einladung annehmen"),
        magicLink: .init(
            subject: "Ihr Anmeldelink", body: "Mit diesem Link melden Sie sich bei {{SiteURL}} an.",
            button: "Anmelden"),
        recovery: .init(
            subject: "Neues Passwort wählen",
            body: "Jemand, hoffentlich Sie, hat ein neues Passwort für {{Email}} angefordert.",
            button: "Neues Passwort wählen"),
        emailChange: .init(
            subject: "Bestätigen Sie Ihre neue E-Mail-Adresse",
            body:
                "Bitte bestätigen Sie, dass sich die Adresse Ihres Kontos von {{Email}} zu {{NewEmail}} ändert.",
            button: "Änderung bestätigen"),
        reauthentication: .init(
            subject: "Ihr Bestätigungscode",
            body: "Geben Sie diesen Code ein, um zu bestätigen, dass Sie es sind."),
        passwordChanged: .init(
            subject: "Ihr Passwort wurde geändert",
            body: "Das Passwort von {{Email}} wurde geändert. Wenn Sie es nicht waren, wählen Sie "
                + "sofort ein neues.",
            isIgnorable: false),
        emailChanged: .init(
            subject: "Ihre E-Mail-Adresse wurde geändert",
            body: "Die Adresse Ihres Kontos wurde von {{Email}} zu {{NewEmail}} geändert. Wenn Sie "
                + "es nicht waren, schreiben Sie uns sofort.",
            isIgnorable: false),
        accountExists: .init(
            subject: "Sie haben bereits ein Konto",
            body: "Jemand wollte ein Konto mit {{Email}} anlegen, das es schon gibt. Wenn Sie es "
                + "waren, melden Sie sich bei {{SiteURL}} an oder fordern Sie dort ein neues Passwort an."),
        sms: "Ihr Code lautet {{Token}}")

    static let french = Phrases(
        language: "fr", code: "Votre code :", orCode: "Ou saisissez ce code :",
        ignore: "Si vous n’êtes pas à l’origine de cette demande, vous pouvez ignorer ce message.",
        confirmation: .init(
            subject: "Confirmez votre adresse e-mail",
            body: "Veuillez confirmer que {{Email}} est votre adresse ; votre compte sera alors prêt.",
            button: "Confirmer l’adresse"),
        invite: .init(
            subject: "Vous êtes invité",
            body: "Vous êtes invité à créer un compte sur {{SiteURL}}.", button: "Accepter l’invitation"),
        magicLink: .init(
            subject: "Votre lien de connexion", body: "Suivez ce lien pour vous connecter à {{SiteURL}}.",
            button: "Se connecter"),
        recovery: .init(
            subject: "Choisissez un nouveau mot de passe",
            body: "Quelqu’un, vous sans doute, a demandé un nouveau mot de passe pour {{Email}}.",
            button: "Choisir un mot de passe"),
        emailChange: .init(
            subject: "Confirmez votre nouvelle adresse e-mail",
            body: "Veuillez confirmer que l’adresse de votre compte passe de {{Email}} à {{NewEmail}}.",
            button: "Confirmer le changement"),
        reauthentication: .init(
            subject: "Votre code de confirmation", body: "Saisissez ce code pour confirmer votre identité."),
        passwordChanged: .init(
            subject: "Votre mot de passe a été modifié",
            body: "Le mot de passe de {{Email}} a été modifié. Si ce n’était pas vous, "
                + "choisissez-en un nouveau sans attendre.",
            isIgnorable: false),
        emailChanged: .init(
            subject: "Votre adresse e-mail a été modifiée",
            body: "L’adresse de votre compte est passée de {{Email}} à {{NewEmail}}. Si ce n’était "
                + "pas vous, écrivez-nous sans attendre.",
            isIgnorable: false),
        accountExists: .init(
            subject: "Vous avez déjà un compte",
            body: "Quelqu’un a voulu créer un compte avec {{Email}}, qui existe déjà. Si c’était "
                + "vous, connectez-vous sur {{SiteURL}} ou demandez-y un nouveau mot de passe."),
        sms: "Votre code est {{Token}}")

    static let spanish = Phrases(
        language: "es", code: "Tu código:", orCode: "O introduce este código:",
        ignore: "Si no lo has solicitado, puedes ignorar este mensaje.",
        confirmation: .init(
            subject: "Confirma tu correo electrónico",
            body: "Confirma que {{Email}} es tu dirección y tu cuenta estará lista.",
            button: "Confirmar dirección"),
        invite: .init(
            subject: "Tienes una invitación",
            body: "Te han invitado a crear una cuenta en {{SiteURL}}.", button: "Aceptar invitación"),
        magicLink: .init(
            subject: "Tu enlace de acceso", body: "Sigue este enlace para entrar en {{SiteURL}}.",
            button: "Entrar"),
        recovery: .init(
            subject: "Elige una contraseña nueva",
            body: "Alguien, esperamos que tú, ha pedido una contraseña nueva para {{Email}}.",
            button: "Elegir contraseña"),
        emailChange: .init(
            subject: "Confirma tu nuevo correo electrónico",
            body: "Confirma que la dirección de tu cuenta cambia de {{Email}} a {{NewEmail}}.",
            button: "Confirmar cambio"),
        reauthentication: .init(
            subject: "Tu código de confirmación", body: "Introduce este código para confirmar que eres tú."),
        passwordChanged: .init(
            subject: "Tu contraseña ha cambiado",
            body: "La contraseña de {{Email}} ha cambiado. Si no has sido tú, elige otra cuanto "
                + "antes.",
            isIgnorable: false),
        emailChanged: .init(
            subject: "Tu correo electrónico ha cambiado",
            body: "La dirección de tu cuenta ha cambiado de {{Email}} a {{NewEmail}}. Si no has "
                + "sido tú, escríbenos cuanto antes.",
            isIgnorable: false),
        accountExists: .init(
            subject: "Ya tienes una cuenta",
            body: "Alguien ha intentado crear una cuenta con {{Email}}, que ya existe. Si has sido "
                + "tú, entra en {{SiteURL}} o pide allí una contraseña nueva."),
        sms: "Tu código es {{Token}}")

    static let italian = Phrases(
        language: "it", code: "Il tuo codice:", orCode: "Oppure inserisci questo codice:",
        ignore: "Se non l’hai richiesto, puoi ignorare questo messaggio.",
        confirmation: .init(
            subject: "Conferma il tuo indirizzo e-mail",
            body: "Conferma che {{Email}} è il tuo indirizzo e il tuo account sarà pronto.",
            button: "Conferma indirizzo"),
        invite: .init(
            subject: "Hai ricevuto un invito",
            body: "Sei stato invitato a creare un account su {{SiteURL}}.", button: "Accetta l’invito"),
        magicLink: .init(
            subject: "Il tuo link di accesso", body: "Segui questo link per accedere a {{SiteURL}}.",
            button: "Accedi"),
        recovery: .init(
            subject: "Scegli una nuova password",
            body: "Qualcuno, speriamo tu, ha chiesto una nuova password per {{Email}}.",
            button: "Scegli la password"),
        emailChange: .init(
            subject: "Conferma il tuo nuovo indirizzo e-mail",
            body: "Conferma che l’indirizzo del tuo account cambia da {{Email}} a {{NewEmail}}.",
            button: "Conferma la modifica"),
        reauthentication: .init(
            subject: "Il tuo codice di conferma", body: "Inserisci questo codice per confermare che sei tu."),
        passwordChanged: .init(
            subject: "La tua password è cambiata",
            body: "La password di {{Email}} è cambiata. Se non sei stato tu, scegline subito una "
                + "nuova.",
            isIgnorable: false),
        emailChanged: .init(
            subject: "Il tuo indirizzo e-mail è cambiato",
            body: "L’indirizzo del tuo account è cambiato da {{Email}} a {{NewEmail}}. Se non sei "
                + "stato tu, scrivici subito.",
            isIgnorable: false),
        accountExists: .init(
            subject: "Hai già un account",
            body: "Qualcuno ha provato a creare un account con {{Email}}, che esiste già. Se eri "
                + "tu, accedi a {{SiteURL}} o chiedi lì una nuova password."),
        sms: "Il tuo codice è {{Token}}")

    static let portuguese = Phrases(
        language: "pt", code: "O seu código:", orCode: "Ou introduza este código:",
        ignore: "Se não fez este pedido, pode ignorar esta mensagem.",
        confirmation: .init(
            subject: "Confirme o seu e-mail",
            body: "Confirme que {{Email}} é o seu endereço e a sua conta fica pronta.",
            button: "Confirmar endereço"),
        invite: .init(
            subject: "Recebeu um convite",
            body: "Foi convidado a criar uma conta em {{SiteURL}}.", button: "Aceitar convite"),
        magicLink: .init(
            subject: "O seu link de acesso", body: "Siga este link para entrar em {{SiteURL}}.",
            button: "Entrar"),
        recovery: .init(
            subject: "Escolha uma nova palavra-passe",
            body: "Alguém, esperamos que você, pediu uma nova palavra-passe para {{Email}}.",
            button: "Escolher palavra-passe"),
        emailChange: .init(
            subject: "Confirme o seu novo e-mail",
            body: "Confirme que o endereço da sua conta muda de {{Email}} para {{NewEmail}}.",
            button: "Confirmar alteração"),
        reauthentication: .init(
            subject: "O seu código de confirmação", body: "Introduza este código para confirmar que é você."),
        passwordChanged: .init(
            subject: "A sua palavra-passe foi alterada",
            body: "A palavra-passe de {{Email}} foi alterada. Se não foi você, escolha já uma "
                + "nova.",
            isIgnorable: false),
        emailChanged: .init(
            subject: "O seu e-mail foi alterado",
            body: "O endereço da sua conta mudou de {{Email}} para {{NewEmail}}. Se não foi você, "
                + "escreva-nos já.",
            isIgnorable: false),
        accountExists: .init(
            subject: "Já tem uma conta",
            body: "Alguém tentou criar uma conta com {{Email}}, que já existe. Se foi você, entre "
                + "em {{SiteURL}} ou peça lá uma nova palavra-passe."),
        sms: "O seu código é {{Token}}")
}
