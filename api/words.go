package api

import (
	"fmt"
	"strings"
	"time"

	"afterword/thread"
)

// words are our own texts in one language. Texts with a number have a form for each that the language tells apart,
// separated by "|"; plural says which one goes with n.
type words struct {
	Lang, Dir string
	plural    func(n int) int
	day       string // of fmt: day, month, year
	months    []string

	NoComments, Comments, Likes, Boosts, Late        string
	Closed, ClosesOn, BranchClosed, Approval         string
	Reply, HowTo, Follow, HowToFollow                string
	Account, Continue, Cancel, GoOn, NoServer        string
	Author, Bot, Imported, Edited, Deleted           string
	InReplyTo, Warning, Original, More, NotFound, Oh string
}

// known is the language of a tag ("pt-BR") if we have words in it.
func known(tag string) string {
	lang, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if _, ok := languages[lang]; ok {
		return lang
	}
	return ""
}

// words are those of the language asked for, else of the post's, else of the blog's, else English.
func (s *Server) words(asked string, p thread.Post) *words {
	for _, tag := range []string{asked, p.Lang, s.Blog.Lang} {
		if lang := known(tag); lang != "" {
			return languages[lang]
		}
	}
	return languages["en"]
}

func (w *words) count(forms string, n int) string {
	form := strings.Split(forms, "|")[w.plural(n)]
	if strings.Contains(form, "%d") {
		return fmt.Sprintf(form, n)
	}
	return form
}

func (w *words) date(t time.Time) string {
	t = t.UTC()
	return fmt.Sprintf(w.day, t.Day(), w.months[t.Month()-1], t.Year())
}

func (w *words) dateAndTime(t time.Time) string { return w.date(t) + " " + t.UTC().Format("15:04 UTC") }

func oneForm(int) int { return 0 }

func oneOrMore(n int) int {
	if n == 1 {
		return 0
	}
	return 1
}

func upToOneOrMore(n int) int { return oneOrMore(max(n, 1)) }

func arabic(n int) int {
	switch {
	case n <= 2:
		return n
	case n%100 >= 3 && n%100 <= 10:
		return 3
	case n%100 >= 11:
		return 4
	}
	return 5
}

var languages = map[string]*words{
	"en": {
		Lang: "en", Dir: "ltr", plural: oneOrMore, day: "%d %s %d",
		months: strings.Fields("January February March April May June July August September October November December"),

		NoComments: "No comments", Comments: "%d comment|%d comments", Likes: "%d like|%d likes", Boosts: "%d boost|%d boosts",
		Late:   "%d reply came after closing.|%d replies came after closing.",
		Closed: "Comments are closed.", ClosesOn: "Comments close on %s.", BranchClosed: "Replies to this comment are closed.",
		Approval: "New comments may wait for approval.",
		Reply:    "Reply from your Mastodon or fediverse account",
		HowTo:    "Copy this address into the search of your own server, open what it finds and reply there.",
		Follow:   "Follow this blog", HowToFollow: "Copy this address into the search of your own server, open what it finds and follow it.",
		Account: "Your account or server", Continue: "Continue", Cancel: "Cancel", GoOn: "Continue at %s",
		NoServer: "Nothing answered there. Please check your account or server, or copy the address below.",
		Author:   "Author", Bot: "Bot", Imported: "imported", Edited: "edited", Deleted: "deleted",
		InReplyTo: "in reply to %s", Warning: "Content warning:", Original: "Original", More: "More comments",
		NotFound: "There is no post with this address here.", Oh: "This does not work at the moment. Please try again later.",
	},
	"de": {
		Lang: "de", Dir: "ltr", plural: oneOrMore, day: "%d. %s %d",
		months: strings.Fields("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),

		NoComments: "Keine Kommentare", Comments: "%d Kommentar|%d Kommentare", Likes: "%d Like|%d Likes",
		Boosts: "%d Mal geteilt|%d Mal geteilt",
		Late:   "%d Antwort kam nach der Schließung.|%d Antworten kamen nach der Schließung.",
		Closed: "Die Kommentare sind geschlossen.", ClosesOn: "Kommentare sind möglich bis zum %s.",
		BranchClosed: "Antworten auf diesen Kommentar sind geschlossen.", Approval: "Neue Kommentare warten vielleicht erst auf Freigabe.",
		Reply:  "Mit dem eigenen Mastodon- oder Fediverse-Konto antworten",
		HowTo:  "Diese Adresse in die Suche des eigenen Servers kopieren, den Fund öffnen und dort antworten.",
		Follow: "Diesem Blog folgen", HowToFollow: "Diese Adresse in die Suche des eigenen Servers kopieren, den Fund öffnen und ihm folgen.",
		Account: "Eigenes Konto oder eigener Server", Continue: "Weiter", Cancel: "Abbrechen", GoOn: "Weiter bei %s",
		NoServer: "Dort antwortet niemand. Bitte Konto oder Server prüfen oder die Adresse unten kopieren.",
		Author:   "Autor", Bot: "Bot", Imported: "importiert", Edited: "bearbeitet", Deleted: "gelöscht",
		InReplyTo: "Antwort an %s", Warning: "Inhaltswarnung:", Original: "Original", More: "Weitere Kommentare",
		NotFound: "Unter dieser Adresse gibt es hier keinen Beitrag.", Oh: "Das geht im Moment nicht. Bitte später noch einmal versuchen.",
	},
	"fr": {
		Lang: "fr", Dir: "ltr", plural: upToOneOrMore, day: "%d %s %d",
		months: strings.Fields("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),

		NoComments: "Aucun commentaire", Comments: "%d commentaire|%d commentaires", Likes: "%d favori|%d favoris",
		Boosts: "%d partage|%d partages",
		Late:   "%d réponse est arrivée après la fermeture.|%d réponses sont arrivées après la fermeture.",
		Closed: "Les commentaires sont fermés.", ClosesOn: "Les commentaires ferment le %s.",
		BranchClosed: "Les réponses à ce commentaire sont fermées.", Approval: "Les nouveaux commentaires peuvent attendre une validation.",
		Reply:  "Répondre depuis votre compte Mastodon ou fédivers",
		HowTo:  "Copiez cette adresse dans la recherche de votre serveur, ouvrez le résultat et répondez-y.",
		Follow: "Suivre ce blog", HowToFollow: "Copiez cette adresse dans la recherche de votre serveur, ouvrez le résultat et suivez-le.",
		Account: "Votre compte ou votre serveur", Continue: "Continuer", Cancel: "Annuler", GoOn: "Continuer sur %s",
		NoServer: "Rien n’a répondu. Vérifiez votre compte ou votre serveur, ou copiez l’adresse ci-dessous.",
		Author:   "Auteur", Bot: "Robot", Imported: "importé", Edited: "modifié", Deleted: "supprimé",
		InReplyTo: "en réponse à %s", Warning: "Avertissement :", Original: "Original", More: "Plus de commentaires",
		NotFound: "Aucun article n’a cette adresse ici.", Oh: "Cela ne fonctionne pas pour le moment. Réessayez plus tard.",
	},
	"es": {
		Lang: "es", Dir: "ltr", plural: oneOrMore, day: "%d de %s de %d",
		months: strings.Fields("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),

		NoComments: "Sin comentarios", Comments: "%d comentario|%d comentarios", Likes: "%d favorito|%d favoritos",
		Boosts: "%d impulso|%d impulsos",
		Late:   "%d respuesta llegó después del cierre.|%d respuestas llegaron después del cierre.",
		Closed: "Los comentarios están cerrados.", ClosesOn: "Los comentarios se cierran el %s.",
		BranchClosed: "Las respuestas a este comentario están cerradas.", Approval: "Los comentarios nuevos pueden esperar su aprobación.",
		Reply:  "Responder desde tu cuenta de Mastodon o del fediverso",
		HowTo:  "Copia esta dirección en el buscador de tu servidor, abre lo que encuentre y responde allí.",
		Follow: "Seguir este blog", HowToFollow: "Copia esta dirección en el buscador de tu servidor, abre lo que encuentre y síguelo.",
		Account: "Tu cuenta o tu servidor", Continue: "Continuar", Cancel: "Cancelar", GoOn: "Continuar en %s",
		NoServer: "Nadie ha respondido. Comprueba tu cuenta o servidor, o copia la dirección de abajo.",
		Author:   "Autor", Bot: "Bot", Imported: "importado", Edited: "editado", Deleted: "eliminado",
		InReplyTo: "en respuesta a %s", Warning: "Aviso de contenido:", Original: "Original", More: "Más comentarios",
		NotFound: "Aquí no hay ninguna entrada con esta dirección.", Oh: "Ahora mismo no funciona. Inténtalo más tarde.",
	},
	"ja": {
		Lang: "ja", Dir: "ltr", plural: oneForm, day: "%[3]d年%[2]s月%[1]d日",
		months: strings.Fields("1 2 3 4 5 6 7 8 9 10 11 12"),

		NoComments: "コメントはありません", Comments: "コメント%d件", Likes: "お気に入り%d件", Boosts: "ブースト%d件",
		Late:   "受付終了後に%d件の返信が届きました。",
		Closed: "コメントの受付は終了しました。", ClosesOn: "コメントの受付は%sまでです。",
		BranchClosed: "このコメントへの返信の受付は終了しました。", Approval: "新しいコメントは承認後に表示される場合があります。",
		Reply:  "Mastodonなどのフェディバースのアカウントから返信する",
		HowTo:  "このアドレスを自分のサーバーの検索欄に貼り付け、見つかった投稿を開いて返信してください。",
		Follow: "このブログをフォローする", HowToFollow: "このアドレスを自分のサーバーの検索欄に貼り付け、見つかったアカウントをフォローしてください。",
		Account: "アカウントまたはサーバー", Continue: "次へ", Cancel: "キャンセル", GoOn: "%sで続ける",
		NoServer: "応答がありませんでした。アカウントまたはサーバーを確認するか、下のアドレスをコピーしてください。",
		Author:   "著者", Bot: "ボット", Imported: "インポート", Edited: "編集済み", Deleted: "削除済み",
		InReplyTo: "%sへの返信", Warning: "閲覧注意：", Original: "元の投稿", More: "続きのコメント",
		NotFound: "このアドレスの記事はここにはありません。", Oh: "現在ご利用いただけません。後でもう一度お試しください。",
	},
	"ar": {
		Lang: "ar", Dir: "rtl", plural: arabic, day: "%d %s %d",
		months: strings.Fields("يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر"),

		NoComments: "لا توجد تعليقات", Comments: "لا تعليقات|تعليق واحد|تعليقان|%d تعليقات|%d تعليقًا|%d تعليق",
		Likes:  "لا إعجابات|إعجاب واحد|إعجابان|%d إعجابات|%d إعجابًا|%d إعجاب",
		Boosts: "لا مشاركات|مشاركة واحدة|مشاركتان|%d مشاركات|%d مشاركة|%d مشاركة",
		Late: "لم يصل رد بعد الإغلاق.|وصل رد واحد بعد الإغلاق.|وصل ردان بعد الإغلاق.|" +
			"وصلت %d ردود بعد الإغلاق.|وصل %d ردًا بعد الإغلاق.|وصل %d رد بعد الإغلاق.",
		Closed: "التعليقات مغلقة.", ClosesOn: "تُغلق التعليقات في %s.", BranchClosed: "الردود على هذا التعليق مغلقة.",
		Approval: "قد تنتظر التعليقات الجديدة الموافقة عليها.",
		Reply:    "الرد من حسابك على ماستودون أو الفديفيرس",
		HowTo:    "انسخ هذا العنوان إلى خانة البحث في خادمك، وافتح ما يجده، ثم رد هناك.",
		Follow:   "متابعة هذه المدونة", HowToFollow: "انسخ هذا العنوان إلى خانة البحث في خادمك، وافتح ما يجده، ثم تابعه.",
		Account: "حسابك أو خادمك", Continue: "استمرار", Cancel: "إلغاء", GoOn: "المتابعة في %s",
		NoServer: "لا إجابة من هناك. تحقق من حسابك أو خادمك، أو انسخ العنوان أدناه.",
		Author:   "الكاتب", Bot: "روبوت", Imported: "مستورد", Edited: "معدّل", Deleted: "محذوف",
		InReplyTo: "ردًا على %s", Warning: "تحذير من المحتوى:", Original: "الأصل", More: "المزيد من التعليقات",
		NotFound: "لا توجد هنا تدوينة بهذا العنوان.", Oh: "هذا لا يعمل الآن. يُرجى المحاولة لاحقًا.",
	},
}
