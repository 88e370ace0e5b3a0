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
	at        string // between day and time of day
	months    []string

	NoComments, Comments, Likes, Boosts, Late      string
	Closed, ClosesOn, BranchClosed, Approval       string
	News                                           string // comments that came while the page was open
	Reply, ReplyHere, ReplyTo                      string // the long way, the button under a comment, and that with a name
	HowTo, Follow, HowToFollow                     string
	Account, Continue, Close, Copy, GoOn, NoServer string
	Author, Bot, Imported, Edited, Deleted         string
	InReplyTo, ToDeleted, Rest                     string // Rest is what a long text is folded behind
	Warning, Original, More, Talk, NotFound, Oh    string // Talk is what feeds are about
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

// categories are CLDR's names of the forms, by how many a language has: what Intl.PluralRules calls them in a browser.
var categories = map[int][]literal{1: {"other"}, 2: {"one", "other"}, 6: {"zero", "one", "two", "few", "many", "other"}}

func (w *words) date(t time.Time) string {
	t = t.UTC()
	return fmt.Sprintf(w.day, t.Day(), w.months[t.Month()-1], t.Year())
}

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
		Lang: "en", Dir: "ltr", plural: oneOrMore, day: "%d %s %d", at: ", ",
		months: strings.Fields("January February March April May June July August September October November December"),

		NoComments: "No comments", Comments: "%d comment|%d comments", Likes: "%d like|%d likes", Boosts: "%d boost|%d boosts",
		Late:   "%d reply came after closing.|%d replies came after closing.",
		Closed: "Comments are closed.", ClosesOn: "Comments close on %s.", BranchClosed: "Replies to this comment are closed.",
		Approval:  "New comments may wait for approval.",
		News:      "%d new comment|%d new comments",
		ReplyHere: "Reply", ReplyTo: "Reply to %s",
		Reply:  "Reply from your Mastodon or fediverse account",
		HowTo:  "Copy this address into the search of your own server, open what it finds and reply there.",
		Follow: "Follow this blog", HowToFollow: "Copy this address into the search of your own server, open what it finds and follow it.",
		Account: "Your account or server", Continue: "Continue", Close: "Close", Copy: "Copy", GoOn: "Continue at %s",
		NoServer: "That account or server was not found. Check the spelling, or copy the address below.",
		Author:   "Author", Bot: "Bot", Imported: "imported", Edited: "edited", Deleted: "deleted comment",
		InReplyTo: "in reply to %s", ToDeleted: "in reply to a deleted comment", Rest: "Show more",
		Warning: "Content warning:", Original: "Original", More: "More comments",
		Talk: "Comments", NotFound: "There is no post with this address here.", Oh: "This does not work at the moment. Please try again later.",
	},
	"de": {
		Lang: "de", Dir: "ltr", plural: oneOrMore, day: "%d. %s %d", at: ", ",
		months: strings.Fields("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),

		NoComments: "Keine Kommentare", Comments: "%d Kommentar|%d Kommentare", Likes: "%d Like|%d Likes",
		Boosts: "%d Mal geteilt|%d Mal geteilt",
		Late:   "%d Antwort kam nach der Schließung.|%d Antworten kamen nach der Schließung.",
		Closed: "Die Kommentare sind geschlossen.", ClosesOn: "Kommentare sind möglich bis zum %s.",
		BranchClosed: "Antworten auf diesen Kommentar sind geschlossen.", Approval: "Neue Kommentare erscheinen eventuell erst nach Freigabe.",
		News:      "%d neuer Kommentar|%d neue Kommentare",
		ReplyHere: "Antworten", ReplyTo: "%s antworten",
		Reply:  "Mit dem eigenen Mastodon- oder Fediverse-Konto antworten",
		HowTo:  "Diese Adresse in die Suche des eigenen Servers kopieren, den Treffer öffnen und dort antworten.",
		Follow: "Diesem Blog folgen", HowToFollow: "Diese Adresse in die Suche des eigenen Servers kopieren, den Treffer öffnen und ihm folgen.",
		Account: "Konto oder Server", Continue: "Weiter", Close: "Schließen", Copy: "Kopieren", GoOn: "Weiter bei %s",
		NoServer: "Konto oder Server nicht gefunden. Bitte die Schreibweise prüfen oder die Adresse unten kopieren.",
		Author:   "Autor", Bot: "Bot", Imported: "importiert", Edited: "bearbeitet", Deleted: "gelöschter Kommentar",
		InReplyTo: "Antwort an %s", ToDeleted: "Antwort auf einen gelöschten Kommentar", Rest: "Mehr anzeigen",
		Warning: "Inhaltswarnung:", Original: "Original", More: "Weitere Kommentare",
		Talk: "Kommentare", NotFound: "Unter dieser Adresse gibt es hier keinen Beitrag.", Oh: "Das geht im Moment nicht. Bitte später noch einmal versuchen.",
	},
	"fr": {
		Lang: "fr", Dir: "ltr", plural: upToOneOrMore, day: "%d %s %d", at: " à ",
		months: strings.Fields("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),

		NoComments: "Aucun commentaire", Comments: "%d commentaire|%d commentaires", Likes: "%d favori|%d favoris",
		Boosts: "%d partage|%d partages",
		Late:   "%d réponse est arrivée après la fermeture.|%d réponses sont arrivées après la fermeture.",
		Closed: "Les commentaires sont fermés.", ClosesOn: "Les commentaires seront fermés le %s.",
		BranchClosed: "Les réponses à ce commentaire sont fermées.", Approval: "Les nouveaux commentaires peuvent être soumis à validation.",
		News:      "%d nouveau commentaire|%d nouveaux commentaires",
		ReplyHere: "Répondre", ReplyTo: "Répondre à %s",
		Reply:  "Répondre depuis votre compte Mastodon ou du fédivers",
		HowTo:  "Copiez cette adresse dans la recherche de votre serveur, ouvrez le résultat et répondez-y.",
		Follow: "Suivre ce blog", HowToFollow: "Copiez cette adresse dans la recherche de votre serveur, ouvrez le résultat et suivez-le.",
		Account: "Votre compte ou votre serveur", Continue: "Continuer", Close: "Fermer", Copy: "Copier", GoOn: "Continuer sur %s",
		NoServer: "Compte ou serveur introuvable. Vérifiez l’orthographe ou copiez l’adresse ci-dessous.",
		Author:   "Auteur", Bot: "Robot", Imported: "importé", Edited: "modifié", Deleted: "commentaire supprimé",
		InReplyTo: "en réponse à %s", ToDeleted: "en réponse à un commentaire supprimé", Rest: "Afficher la suite",
		Warning: "Avertissement :", Original: "Original", More: "Plus de commentaires",
		Talk: "Commentaires", NotFound: "Aucun article ne correspond à cette adresse.", Oh: "Cela ne fonctionne pas pour le moment. Réessayez plus tard.",
	},
	"es": {
		Lang: "es", Dir: "ltr", plural: oneOrMore, day: "%d de %s de %d", at: ", ",
		months: strings.Fields("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),

		NoComments: "Sin comentarios", Comments: "%d comentario|%d comentarios", Likes: "%d favorito|%d favoritos",
		Boosts: "%d impulso|%d impulsos",
		Late:   "%d respuesta llegó después del cierre.|%d respuestas llegaron después del cierre.",
		Closed: "Los comentarios están cerrados.", ClosesOn: "Los comentarios se cerrarán el %s.",
		BranchClosed: "Las respuestas a este comentario están cerradas.", Approval: "Los comentarios nuevos pueden requerir aprobación.",
		News:      "%d comentario nuevo|%d comentarios nuevos",
		ReplyHere: "Responder", ReplyTo: "Responder a %s",
		Reply:  "Responder desde tu cuenta de Mastodon o del fediverso",
		HowTo:  "Copia esta dirección en el buscador de tu servidor, abre lo que encuentre y responde allí.",
		Follow: "Seguir este blog", HowToFollow: "Copia esta dirección en el buscador de tu servidor, abre lo que encuentre y síguelo.",
		Account: "Tu cuenta o tu servidor", Continue: "Continuar", Close: "Cerrar", Copy: "Copiar", GoOn: "Continuar en %s",
		NoServer: "No se ha encontrado esa cuenta o ese servidor. Revisa cómo está escrito o copia la dirección de abajo.",
		Author:   "Autor", Bot: "Bot", Imported: "importado", Edited: "editado", Deleted: "comentario eliminado",
		InReplyTo: "en respuesta a %s", ToDeleted: "en respuesta a un comentario eliminado", Rest: "Mostrar más",
		Warning: "Aviso de contenido:", Original: "Original", More: "Más comentarios",
		Talk: "Comentarios", NotFound: "Aquí no hay ninguna entrada con esta dirección.", Oh: "Ahora mismo no funciona. Inténtalo más tarde.",
	},
	"ja": {
		Lang: "ja", Dir: "ltr", plural: oneForm, day: "%[3]d年%[2]s月%[1]d日", at: " ",
		months: strings.Fields("1 2 3 4 5 6 7 8 9 10 11 12"),

		NoComments: "コメントはありません", Comments: "コメント%d件", Likes: "お気に入り%d件", Boosts: "ブースト%d件",
		Late:   "受付終了後に%d件の返信が届きました。",
		Closed: "コメントの受付は終了しました。", ClosesOn: "コメントの受付は%sまでです。",
		BranchClosed: "このコメントへの返信の受付は終了しました。", Approval: "新しいコメントは承認後に表示される場合があります。",
		News:      "新着コメント%d件",
		ReplyHere: "返信", ReplyTo: "%sさんに返信",
		Reply:  "Mastodonなどのフェディバースのアカウントから返信する",
		HowTo:  "このアドレスを自分のサーバーの検索欄に貼り付け、見つかった投稿を開いて返信してください。",
		Follow: "このブログをフォローする", HowToFollow: "このアドレスを自分のサーバーの検索欄に貼り付け、見つかったアカウントをフォローしてください。",
		Account: "アカウントまたはサーバー", Continue: "次へ", Close: "閉じる", Copy: "コピー", GoOn: "%sで続ける",
		NoServer: "アカウントまたはサーバーが見つかりませんでした。入力内容を確認するか、下のアドレスをコピーしてください。",
		Author:   "著者", Bot: "ボット", Imported: "インポート済み", Edited: "編集済み", Deleted: "削除されたコメント",
		InReplyTo: "%sへの返信", ToDeleted: "削除されたコメントへの返信", Rest: "続きを読む",
		Warning: "閲覧注意：", Original: "元の投稿", More: "コメントをもっと見る",
		Talk: "コメント", NotFound: "このアドレスの記事は見つかりません。", Oh: "現在ご利用いただけません。後でもう一度お試しください。",
	},
	"ar": {
		Lang: "ar", Dir: "rtl", plural: arabic, day: "%d %s %d", at: "، ",
		months: strings.Fields("يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر"),

		NoComments: "لا توجد تعليقات", Comments: "لا تعليقات|تعليق واحد|تعليقان|%d تعليقات|%d تعليقًا|%d تعليق",
		Likes:  "لا إعجابات|إعجاب واحد|إعجابان|%d إعجابات|%d إعجابًا|%d إعجاب",
		Boosts: "لا مشاركات|مشاركة واحدة|مشاركتان|%d مشاركات|%d مشاركة|%d مشاركة",
		Late: "لم يصل رد بعد الإغلاق.|وصل رد واحد بعد الإغلاق.|وصل ردان بعد الإغلاق.|" +
			"وصلت %d ردود بعد الإغلاق.|وصل %d ردًا بعد الإغلاق.|وصل %d رد بعد الإغلاق.",
		Closed: "التعليقات مغلقة.", ClosesOn: "تُغلق التعليقات في %s.", BranchClosed: "الردود على هذا التعليق مغلقة.",
		Approval:  "قد تحتاج التعليقات الجديدة إلى موافقة قبل ظهورها.",
		News:      "لا تعليقات جديدة|تعليق جديد واحد|تعليقان جديدان|%d تعليقات جديدة|%d تعليقًا جديدًا|%d تعليق جديد",
		ReplyHere: "الرد", ReplyTo: "الرد على %s",
		Reply:  "الرد من حسابك على ماستودون أو الفديفرس",
		HowTo:  "انسخ هذا العنوان إلى خانة البحث في خادمك، وافتح ما يجده، ثم رد هناك.",
		Follow: "متابعة هذه المدونة", HowToFollow: "انسخ هذا العنوان إلى خانة البحث في خادمك، وافتح ما يجده، ثم تابعه.",
		Account: "حسابك أو خادمك", Continue: "استمرار", Close: "إغلاق", Copy: "نسخ", GoOn: "المتابعة في %s",
		NoServer: "لم يُعثر على الحساب أو الخادم. تحقق من كتابته، أو انسخ العنوان أدناه.",
		Author:   "الكاتب", Bot: "روبوت", Imported: "مستورد", Edited: "معدّل", Deleted: "تعليق محذوف",
		InReplyTo: "ردًا على %s", ToDeleted: "ردًا على تعليق محذوف", Rest: "عرض المزيد",
		Warning: "تحذير من المحتوى:", Original: "الأصل", More: "المزيد من التعليقات",
		Talk: "التعليقات", NotFound: "لا توجد هنا تدوينة بهذا العنوان.", Oh: "الخدمة غير متاحة حاليًا. يُرجى المحاولة لاحقًا.",
	},
}
